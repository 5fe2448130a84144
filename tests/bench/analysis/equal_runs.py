#!/usr/bin/env python3
"""Counts how often the instrument calls equal programs different: in runs of one program against a
copy of itself, in two such runs joined to one, and in comparisons of two such runs:

    tests/bench/analysis/equal_runs.py ECHOBENCH FOLDER

FOLDER holds NAME.ndjson.gz of each run. Exit code 1: more than one in twenty. Runs that refused every
verdict, because the machine was too busy, are counted and left out. Six rounds are too few to name a
single row among eight, so runs are also joined two by two.
"""

import gzip
import itertools
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

MOST = 1 / 20
DIFFERENT = ("lower", "higher")


def verdicts(node):
    """Every verdict of a report, wherever it stands."""
    if isinstance(node, dict):
        if "what" in node and "words" in node:
            yield node
        for each in node.values():
            yield from verdicts(each)
    elif isinstance(node, list):
        for each in node:
            yield from verdicts(each)


def words(node):
    """Every sentence with which a comparison judges a change."""
    if isinstance(node, dict):
        if isinstance(node.get("judged"), dict):
            yield node["judged"]["words"]
        for each in node.values():
            yield from words(each)
    elif isinstance(node, list):
        for each in node:
            yield from words(each)


def results_of(echobench, folder):
    subprocess.run([echobench, "report", folder], check=True, stdout=subprocess.DEVNULL)
    return json.loads((folder / "report.json").read_text())["results"]


def refuses(results):
    return results["headlines"][0].startswith("No verdict")


def of_run(echobench, folder):
    found = verdicts(results_of(echobench, folder))
    return [each["words"] for each in found if each["what"] in DIFFERENT]


def joined(first, second, into):
    """One run of the rounds of both."""
    records = []
    for folder in (first, second):
        with gzip.open(folder / "run.ndjson.gz", "rt") as lines:
            records.append([json.loads(line) for line in lines])
    rounds = records[0][0]["rounds"]
    blocks = [each for each in records[1] if each["record"] == "block"]
    for each in blocks:
        each["round"] += rounds
    records[0][0]["rounds"] += records[1][0]["rounds"]
    ends = [each for each in records[0] if each["record"] == "end"]
    kept = [each for each in records[0] if each["record"] != "end"] + blocks + ends
    into.mkdir()
    with gzip.open(into / "run.ndjson.gz", "wt") as file:
        file.writelines(json.dumps(each) + "\n" for each in kept)
    return into


def excludes_one(ratio):
    return ratio["range"] and not ratio["range"]["low"] <= 1 <= ratio["range"]["high"]


def of_pair(echobench, old, new):
    asked = [echobench, "compare", old, new, "--json"]
    answer = subprocess.run(asked, check=True, stdout=subprocess.PIPE).stdout
    judged = list(words(json.loads(answer)))
    if not judged:
        raise SystemExit(f"{old.name} and {new.name}: nothing was compared")
    return [each for each in judged if each.startswith(DIFFERENT)]


def tell(what, found):
    wrong = {name: said for name, said in found.items() if said}
    for name, said in wrong.items():
        print(f"{name}: {'; '.join(said)}")
    print(f"{what}: {len(wrong)} of {len(found)} call equal programs different")
    return len(wrong) <= MOST * len(found)


def main(echobench, folder):
    with tempfile.TemporaryDirectory() as scratch:
        runs = []
        for each in sorted(Path(folder).glob("*.ndjson.gz")):
            runs.append(Path(scratch) / each.name.split(".")[0])
            runs[-1].mkdir()
            shutil.copy(each, runs[-1] / "run.ndjson.gz")
        all_runs = len(runs)
        runs = [each for each in runs if not refuses(results_of(echobench, each))]
        print(f"{all_runs} runs, of which {all_runs - len(runs)} refused every verdict")
        rows = [each for run in runs for each in results_of(echobench, run)["costs"]]
        missed = sum(bool(excludes_one(each["ratio"])) for each in rows)
        print(f"rows, each by itself: {missed} of {len(rows)} intervals exclude 1")
        twofold = [joined(a, b, Path(scratch) / f"{a.name}+{b.name}") for a, b in zip(runs[::2], runs[1::2])]
        alone = {run.name: of_run(echobench, run) for run in runs}
        compared = {f"{a.name}, {b.name}": of_pair(echobench, a, b) for a, b in itertools.combinations(runs, 2)}
        together = {run.name: of_run(echobench, run) for run in twofold}
    told = [tell("runs", alone), tell("runs joined", together), tell("comparisons", compared)]
    return 0 if alone and all(told) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
