#!/usr/bin/env python3
"""Computes what runs say a second time, from run.ndjson alone, and compares it with their report.json:

    tests/bench/analysis/recompute.py ECHOBENCH FOLDER...      exit code 1 if a figure differs

It shares no code with the instrument, and follows docs/method.md: estimates, intervals, ratios,
overheads, p-values of the family, latencies from the encoded histograms, memory and system calls.
"""

import base64
import gzip
import json
import math
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

SIGNIFICANCE = 0.05
BASE, CONTENDER, FLOOR = 0, 1, 2


# --- estimates -------------------------------------------------------------------------------------


def middle(numbers):
    ordered = sorted(numbers)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def walsh(numbers):
    return sorted((a + b) / 2 for i, a in enumerate(numbers) for b in numbers[i:])


def rank_counts(n):
    """How many of the 2^n sign patterns have positive ranks of each sum: exact integers."""
    counts = [1]
    for rank in range(1, n + 1):
        counts = [
            (counts[s] if s < len(counts) else 0) + (counts[s - rank] if s >= rank else 0)
            for s in range(len(counts) + rank)
        ]
    return counts


def depth(n):
    """The k of the interval [W_(k), W_(M+1-k)] at 95 %."""
    below, counts = 0, rank_counts(n)
    for k, count in enumerate(counts):
        below += count
        if 2 * below > (1 - 0.95) * 2**n * (1 + 1e-12):
            return k
    return 0


def estimate(numbers, function=lambda x: x, widening=1.0):
    if not numbers:
        return {"value": 0, "range": None, "n": 0}
    averages, k = walsh(numbers), depth(len(numbers))
    center, found = middle(averages), None
    if k > 0:
        low, high = averages[k - 1], averages[-k]
        found = {
            "low": function(center - widening * (center - low)),
            "high": function(center + widening * (high - center)),
        }
    return {"value": function(center), "range": found, "n": len(numbers)}


def p_value(numbers, widening):
    averages, counts = walsh(numbers), rank_counts(len(numbers))
    if not averages:
        return 1.0
    center, missed = middle(averages), 0
    for k in range(1, len(averages) // 2 + 1):
        missed += counts[k - 1]
        low = center - widening * (center - averages[k - 1])
        high = center + widening * (averages[-k] - center)
        if low > 0 or high < 0:
            return min(1.0, 2 * missed / 2 ** len(numbers))
    return 1.0


def deviation(numbers):
    mean = sum(numbers) / len(numbers)
    return math.sqrt(sum((x - mean) ** 2 for x in numbers) / (len(numbers) - 1)) if len(numbers) > 1 else 0.0


def t_tail(t, freedom, steps=20000):
    """P(T > t), by Simpson's rule after t = tan."""
    constant = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi)

    def density(angle):
        x = math.tan(angle)
        return constant * (1 + x * x / freedom) ** (-(freedom + 1) / 2) * (1 + x * x)

    begin, end = math.atan(t), math.pi / 2 - 1e-9
    width = (end - begin) / steps
    total = density(begin) + density(end)
    total += sum((4 if i % 2 else 2) * density(begin + i * width) for i in range(1, steps))
    return total * width / 3


def t_quantile(freedom):
    low, high = 0.0, 100.0
    while high - low > 1e-9:
        at = (low + high) / 2
        low, high = (at, high) if t_tail(at, freedom, 2000) > 0.025 else (low, at)
    return low


def student(numbers):
    if not numbers:
        return {"value": 0, "range": None, "n": 0}
    mean, found = sum(numbers) / len(numbers), None
    if len(numbers) > 1:
        half = t_quantile(len(numbers) - 1) * deviation(numbers) / math.sqrt(len(numbers))
        found = {"low": math.exp(mean - half), "high": math.exp(mean + half)}
    return {"value": math.exp(mean), "range": found, "n": len(numbers)}


def chi_squared_tail(x, freedom):
    """P(X > x), for whole degrees of freedom, by the recurrence of the incomplete gamma function."""
    odd = freedom % 2 == 1
    tail = math.erfc(math.sqrt(x / 2)) if odd else math.exp(-x / 2)
    for k in range(1 if odd else 2, freedom, 2):
        tail += math.exp(k / 2 * math.log(x / 2) - x / 2 - math.lgamma(k / 2 + 1))
    return tail


def autocovariance(numbers, lag):
    mean = sum(numbers) / len(numbers)
    return sum((a - mean) * (b - mean) for a, b in zip(numbers, numbers[lag:]))


def ljung_box(numbers):
    n = len(numbers)
    if n < 8 or deviation(numbers) == 0:
        return None
    lags = math.ceil(math.log(n))
    whole = autocovariance(numbers, 0)
    q = n * (n + 2) * sum((autocovariance(numbers, k) / whole) ** 2 / (n - k) for k in range(1, lags + 1))
    return chi_squared_tail(q, lags)


# --- the run ---------------------------------------------------------------------------------------


def read(path):
    with gzip.open(path, "rt") as file:
        return [json.loads(line) for line in file]


def measured(x):
    return 1e-8 < x < 1e14


def of_launch(block, launch, metric):
    """The geometric mean over the slices of one launch; None: a slice has no such value."""
    found = [metric(s) if s["messages"] > 0 else 0 for s in block["slices"] if s["launch"] == launch]
    if not found or not all(measured(x) for x in found):
        return None
    return math.exp(sum(map(math.log, found)) / len(found))


def cost(s):
    return (s["cpu_ns"] or 0) / s["messages"]


def rate(s):
    return s["messages"] / s["seconds"]


def field(name):
    return lambda s: s[name]


def open_field(name):
    return lambda s: (s["open_loop"] or {}).get(name, 0)


def over(blocks, launch, metric):
    found = (of_launch(b, launch, metric) for b in blocks)
    return estimate([x for x in found if x is not None])


def pairs(blocks, metric):
    """(round, ln(contender / base)) of each block that has both."""
    found = []
    for block in blocks:
        base, contender = of_launch(block, BASE, metric), of_launch(block, CONTENDER, metric)
        if base is not None and contender is not None:
            found.append((block["round"], math.log(contender / base)))
    return found


def logs(blocks, metric):
    return [x for _, x in pairs(blocks, metric)]


# --- latencies: HdrHistogram's encoding, version 2 --------------------------------------------------


def counts_of(text):
    packed = base64.b64decode(text)
    length = struct.unpack(">I", packed[4:8])[0]
    data = zlib.decompress(packed[8 : 8 + length])[40:]
    counts, at, index = {}, 0, 0
    while at < len(data):
        number, shift = 0, 0
        while True:
            byte = data[at]
            at += 1
            number |= (byte if shift == 56 else byte & 127) << shift
            if byte < 128 or shift == 56:
                break
            shift += 7
        number = (number >> 1) ^ -(number & 1)
        if number < 0:
            index += -number
        else:
            if number:
                counts[index] = number
            index += 1
    return counts


def highest(index):
    bucket = max(0, (index >> 7) - 1)
    part = index if index < 128 else (index & 127) + 128
    return (part << bucket) + (1 << bucket) - 1


def distribution(texts):
    merged = {}
    for text in texts:
        for index, count in counts_of(text).items():
            merged[index] = merged.get(index, 0) + count
    total = sum(merged.values())
    if total == 0:
        return None

    def us(percent):
        rank = total if percent >= 100 else max(1, math.ceil(math.nextafter(percent * total / 100, 0)))
        seen = 0
        for index in sorted(merged):
            seen += merged[index]
            if seen >= rank:
                return highest(index) / 1000

    named = {f"{name}_us": us(at) for name, at in (("p50", 50), ("p90", 90), ("p99", 99), ("p999", 99.9), ("max", 100))}
    return {"messages": total, **named, "curve_us": [us(100 * (1 - 10 ** (-i / 10))) for i in range(31)]}


def kept(blocks, launch, text_of):
    texts = [text_of(s) for b in blocks for s in b["slices"] if s["launch"] == launch]
    return distribution([t for t in texts if t])


# --- rows ------------------------------------------------------------------------------------------


def cost_row(pair, scenario, blocks):
    deciding = blocks["duet"] or blocks["exclusive"]
    found = []
    for b in deciding:
        base, contender, floor = (of_launch(b, launch, cost) for launch in (BASE, CONTENDER, FLOOR))
        if base is not None and contender is not None:
            found.append({"round": b["round"], "base_ns": base, "contender_ns": contender, "floor_ns": floor,
                          "ratio": contender / base})
    row = {"scenario": scenario, "comparison": pair, "decided_by": "duet" if blocks["duet"] else "exclusive"}
    for side in ("base", "contender"):
        above = [b[f"{side}_ns"] - b["floor_ns"] for b in found if b["floor_ns"] is not None]
        row[side] = {"server": pair[side], "cpu_ns": estimate([b[f"{side}_ns"] for b in found]),
                     "overhead_ns": estimate(above) if above else None}
    floors = [b["floor_ns"] for b in found if b["floor_ns"] is not None]
    row["floor_ns"] = estimate(floors) if floors else None
    ratios = [math.log(b["ratio"]) for b in found]
    row["ratio_t"] = student(ratios)
    row["exclusive_ratio"] = estimate(logs(blocks["exclusive"], cost), math.exp) if blocks["exclusive"] else estimate([])
    row["difference_ns"] = estimate([b["contender_ns"] - b["base_ns"] for b in found])
    base = row["base"]["overhead_ns"]
    above = [((b["contender_ns"] - b["floor_ns"]), (b["base_ns"] - b["floor_ns"])) for b in found if b["floor_ns"]]
    sure = base and base["range"] and base["range"]["low"] > 0 and all(below > 0 for _, below in above)
    row["overhead_ratio"] = estimate([a / b for a, b in above]) if sure else None
    row["ljung_box_p"] = ljung_box(ratios)
    row["blocks"] = found
    return row, [(b["round"], math.log(b["ratio"])) for b in found]


def in_conflict(row):
    """Whether duet and exclusive blocks both exclude 1, on opposite sides. Such a row has no verdict."""
    together, alone = row["ratio"]["range"], row["exclusive_ratio"]["range"]
    if row["decided_by"] != "duet" or not together or not alone:
        return False
    return together["high"] < 1 < alone["low"] or alone["high"] < 1 < together["low"]


def load_row(pair, scenario, blocks, ceilings):
    row = {"scenario": scenario, "comparison": pair}
    for launch, side in enumerate(("base", "contender")):
        used = [of_launch(b, launch, field("client_utilisation")) for b in blocks]
        used = [x for x in used if x is not None]
        share = sum(used) / len(used) if used else 0
        speed = over(blocks, launch, rate)
        row[side] = {
            "server": pair[side], "messages_per_second": speed,
            **{f"{p}_us": over(blocks, launch, field(f"{p}_us")) for p in ("p50", "p90", "p99")},
            "client_utilisation": share,
            "client_limited": share >= 0.95 or speed["value"] >= 0.9 * ceilings.get(scenario, math.inf),
            "latency": kept(blocks, launch, lambda s: s["latency"]),
        }
    return row


def open_row(pair, scenario, blocks):
    row = {"scenario": scenario, "comparison": pair, "rate_per_second": over(blocks, BASE, open_field("rate_per_second"))}
    for launch, side in enumerate(("base", "contender")):
        slices = [s for b in blocks for s in b["slices"] if s["launch"] == launch and s["open_loop"]]
        answered = sum(s["messages"] for s in slices) / sum(s["open_loop"]["due"] for s in slices)
        seen = [] if answered < 0.99 else blocks  # nothing is said of a saturated server
        row[side] = {
            "server": pair[side], "answered": answered, "saturated": answered < 0.99,
            **{f"response_{p}_us": over(seen, launch, field(f"{p}_us")) for p in ("p50", "p90", "p99")},
            **{f"service_{p}_us": over(seen, launch, open_field(f"service_{p}_us")) for p in ("p50", "p90", "p99")},
            "late_p99_us": over(seen, launch, open_field("late_p99_us")),
            "cpu_ns": over(seen, launch, cost),
            "response": kept(seen, launch, lambda s: s["latency"]),
            "service": kept(seen, launch, lambda s: (s["open_loop"] or {}).get("service")),
        }
    return row


# --- the family ------------------------------------------------------------------------------------


def common_autocorrelation(series):
    series = [s for s in series if len(s) >= 6 and deviation(s) > 0]
    each = [(len(s) * autocovariance(s, 1) / autocovariance(s, 0) + 1) / (len(s) - 3) for s in series]
    if sum(each) <= 0:
        return 0.0
    common = sum(each) / len(each)
    return min(0.9, max(0.0, common * (1 - 1 / sum(map(len, series)) / common**2)))


def shape(scenario):
    return scenario.split("/r")[0]


def corrected(tests, widening):
    """Bretz et al., algorithm 2. tests: (what they are about, metric, values), in order."""
    count = len(tests)
    after, first = [None] * count, []
    for i, (about, metric, _) in enumerate(tests):
        before = [] if metric in ("at_rate", "cpu") else [j for j in range(i) if tests[j][0] == about]
        if before:
            after[before[-1]] = i
        else:
            first.append(i)
    share = {i: (1 / len(first) if i in first else 0.0) for i in range(count)}
    passes = [[0.0] * count for _ in range(count)]
    for i in range(count):
        others = [k for k in first if k != i]
        onwards = 0.0
        if after[i] is not None:
            onwards = (0.5 if tests[after[i]][1] == "throughput" else 0.1) if others else 1.0
            passes[i][after[i]] = onwards
        for k in others:
            passes[i][k] = (1 - onwards) / len(others)
    p = [p_value(values, widening) for _, _, values in tests]
    result, running, left = [1.0] * count, 0.0, set(range(count))
    while any(share[i] > 0 for i in left):
        j = min((i for i in left if share[i] > 0), key=lambda i: p[i] / share[i])
        running = max(running, min(1.0, p[j] / share[j]))
        result[j] = running
        left.remove(j)
        old = [row[:] for row in passes]
        for i in left:
            share[i] += share[j] * old[j][i]
            back = old[i][j] * old[j][i]
            for k in range(count):
                gone = k == i or k not in left or back >= 1
                passes[i][k] = 0.0 if gone else (old[i][k] + old[i][j] * old[j][k]) / (1 - back)
    return result


class recomputed:
    def __init__(self, lines):
        self.header = next(x for x in lines if x["record"] == "header")
        self.blocks = [x for x in lines if x["record"] == "block"]
        self.memory = [x for x in lines if x["record"] == "memory"]
        self.kernel = [x for x in lines if x["record"] == "kernel"]

    def of(self, pair, scenario, control=False):
        found = {"duet": [], "exclusive": [], "open_loop": []}
        for b in self.blocks:
            if b["control"] == control and b["scenario"] == scenario and b["comparison"] == pair:
                found[b["kind"]].append(b)
        return found

    def groups(self):
        for pair in self.header["comparisons"]:
            for scenario in self.header["scenarios"]:
                blocks = self.of(pair, scenario)
                if any(blocks.values()):
                    yield pair, scenario, blocks

    def ceilings(self):
        """What the client reached with a bare loop, where it was the client's limit."""
        found = {}
        for pair, scenario, blocks in self.groups():
            for launch, side in enumerate(("base", "contender")):
                if not pair[side].startswith("floor/") or not blocks["exclusive"]:
                    continue
                alone = load_row(pair, scenario, blocks["exclusive"], {})[side]
                if alone["client_limited"]:
                    speed = alone["messages_per_second"]["value"]
                    found[scenario] = max(found.get(scenario, 0), speed)
        return found

    def controls(self):
        return [logs(self.of(b["comparison"], b["scenario"], True)[b["kind"]], cost)
                for b in {(x["scenario"], x["kind"]): x for x in self.blocks if x["control"]}.values()]

    def results(self):
        costs, loads, opens = [], [], []
        tests = {"at_rate": [], "cpu": [], "throughput": [], "p50": [], "open": []}
        ceilings = self.ceilings()
        for pair, scenario, blocks in self.groups():
            about = (pair["base"], pair["contender"], shape(scenario))
            if blocks["duet"] or blocks["exclusive"]:
                row, ratios = cost_row(pair, scenario, blocks)
                costs.append(row)
                tests["cpu"].append((about, ratios, row, scenario))
            if blocks["exclusive"]:
                row = load_row(pair, scenario, blocks["exclusive"], ceilings)
                loads.append(row)
                if not (row["base"]["client_limited"] or row["contender"]["client_limited"]):
                    tests["throughput"].append((about, pairs(blocks["exclusive"], rate), row, scenario))
                    tests["p50"].append((about, pairs(blocks["exclusive"], field("p50_us")), row, scenario))
            if blocks["open_loop"]:
                row = open_row(pair, scenario, blocks["open_loop"])
                opens.append(row)
                if not (row["base"]["saturated"] or row["contender"]["saturated"]):
                    tests["open"].append((about, pairs(blocks["open_loop"], field("p50_us")), row, scenario))
        curves = self.curves(loads, opens, tests["at_rate"])
        r = self.judge(tests)
        return {"costs": costs, "loads": loads, "open_loops": opens, "rate_curves": curves, "autocorrelation": r,
                "overall": self.overall(tests, math.sqrt((1 + r) / (1 - r))),
                "memory": self.slopes(), "kernel": self.calls(),
                "messages": sum(s["messages"] for b in self.blocks for s in b["slices"]),
                "checked": sum(s["checked"] for b in self.blocks for s in b["slices"])}

    def curves(self, loads, opens, tests):
        """Of each pair, the loads that differ only in their rate, if there are three or more."""
        points = {}
        for row in opens:
            points.setdefault((json.dumps(row["comparison"]), shape(row["scenario"])), []).append(("open_loop", row))
        for row in loads:
            if (json.dumps(row["comparison"]), row["scenario"]) in points:
                points[(json.dumps(row["comparison"]), row["scenario"])].append(("exclusive", row))
        found = []
        for (pair, load), rows in points.items():
            if len(rows) < 3:
                continue
            rows.sort(key=lambda each: math.inf if each[0] == "exclusive" else each[1]["rate_per_second"]["value"])
            curve = {"load": load, "comparison": json.loads(pair), "points": []}
            for kind, row in rows:
                curve["points"].append(self.point(kind, row, curve["comparison"], tests))
            found.append(curve)
        return found

    def point(self, kind, row, pair, tests):
        point = {"scenario": row["scenario"], "cpu": {"ratio": estimate([]), "p_in_run": None}}
        blocks = self.of(pair, row["scenario"])[kind]
        for launch, side in enumerate(("base", "contender")):
            of = row[side]
            point[side] = {
                "server": of["server"],
                "cpu_ns": of["cpu_ns"] if kind == "open_loop" else over(blocks, launch, cost),
                "messages_per_second": row["rate_per_second"] if kind == "open_loop" else of["messages_per_second"],
                "saturated": of.get("saturated", False), "client_limited": of.get("client_limited", False),
                "p50_us": of["response_p50_us" if kind == "open_loop" else "p50_us"],
                "p99_us": of["response_p99_us" if kind == "open_loop" else "p99_us"],
            }
        about = (pair["base"], pair["contender"], shape(row["scenario"]))
        if not any(point[side]["saturated"] for side in ("base", "contender")):
            tests.append((about, pairs(blocks, cost), point["cpu"], row["scenario"]))
        return point

    def judge(self, tests):
        values = lambda test: [x for _, x in test[1]]
        series = [values(t) for name in ("at_rate", "cpu", "throughput") for t in tests[name]]
        r = common_autocorrelation(series + self.controls())
        widening = math.sqrt((1 + r) / (1 - r))
        family = [(name, t) for name in tests for t in tests[name] if "inject" not in t[0][0] + t[0][1]]
        p = corrected([(t[0], name, values(t)) for name, t in family], widening)
        p_of = {id(t): each for (_, t), each in zip(family, p)}
        for name in tests:
            for t in tests[name]:
                row, ratio = t[2], estimate(values(t), math.exp, widening)
                if name == "at_rate":
                    row["ratio"], row["p_in_run"] = ratio, p_of.get(id(t))
                elif name == "cpu":
                    row["ratio"], row["p_in_run"] = ratio, p_of.get(id(t))
                    low, high = (math.log(ratio["range"][end]) for end in ("low", "high"))
                    row["smallest_visible"] = math.expm1((high - low) / 2)
                elif name == "throughput":
                    row["throughput_ratio"], row["throughput_p"] = ratio, p_of.get(id(t))
                else:
                    row["p50"] = {"ratio": ratio, "p_in_run": p_of.get(id(t))}
        return r

    def overall(self, tests, widening):
        rows = []
        for pair in self.header["comparisons"]:
            row = {"comparison": pair}
            for metric in ("cpu", "throughput"):
                loads = [t for t in tests[metric] if t[0][:2] == (pair["base"], pair["contender"])
                         and not (metric == "cpu" and in_conflict(t[2]))]
                by_round = {}
                for t in loads:
                    for number, x in t[1]:
                        by_round.setdefault(number, []).append(x)
                means = [sum(x) / len(x) for _, x in sorted(by_round.items()) if len(x) == len(loads)]
                ratio = estimate(means, math.exp, widening)
                row[metric] = {"loads": [t[3] for t in loads], "ratio": ratio} if loads else None
            rows.append(row)
        return rows

    def slopes(self):
        rows = {}
        for sample in self.memory:
            rows.setdefault(sample["server"], []).append((sample["connections"], sample["pss_kib"]))
        found = []
        for server, samples in rows.items():
            x, y = (sum(column) / len(samples) for column in zip(*samples))
            below = sum((a - x) ** 2 for a, _ in samples)
            slope = sum((a - x) * (b - y) for a, b in samples) / below if below else None
            found.append({"server": server, "kib_per_connection": slope})
        return found

    def calls(self):
        return [{"scenario": k["scenario"], "server": k["server"],
                 "system_calls": None if k["system_calls"] is None else k["system_calls"] / k["messages"],
                 "context_switches": k["context_switches"] / k["messages"]} for k in self.kernel]


# --- the comparison --------------------------------------------------------------------------------


def differences(mine, theirs, where=""):
    """Yields where a figure differs. What only the report has, such as words, does not count."""
    if isinstance(mine, dict) and isinstance(theirs, dict):
        for name, value in mine.items():
            yield from differences(value, theirs.get(name), f"{where}.{name}")
    elif isinstance(mine, list) and isinstance(theirs, list) and len(mine) == len(theirs):
        for i, (a, b) in enumerate(zip(mine, theirs)):
            yield from differences(a, b, f"{where}[{i}]")
    elif isinstance(mine, bool) or isinstance(mine, str) or mine is None or theirs is None:
        if mine != theirs:
            yield f"{where}: {mine} here, {theirs} in the report"
    elif not isinstance(theirs, (int, float)) or not math.isclose(mine, theirs, rel_tol=1e-8, abs_tol=1e-8):
        yield f"{where}: {mine} here, {theirs} in the report"


def figures(value):
    if isinstance(value, dict):
        return sum(map(figures, value.values()))
    if isinstance(value, list):
        return sum(map(figures, value))
    return int(isinstance(value, (int, float)) and not isinstance(value, bool))


def reported(echobench, run):
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(run, folder)
        subprocess.run((echobench, "report", folder), check=True, stdout=subprocess.DEVNULL)
        return json.loads(Path(folder, "report.json").read_text())["results"]


def main():
    wrong = 0
    for folder in sys.argv[2:]:
        run = Path(folder, "run.ndjson.gz")
        mine = recomputed(read(run)).results()
        found = list(differences(mine, reported(sys.argv[1], run)))
        for each in found[:20]:
            print(each)
        print(f"{folder}: {figures(mine)} figures computed again, {len(found)} differ")
        wrong += len(found)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
