"""What of fibers/ the tests reach: coverage.py EXPORT.json... [FILE...]

An EXPORT is what `llvm-cov export` has written; what one of several has reached is reached. For each
file of fibers/ but not of fibers/programs/, prints how many of its lines were reached, and how many
outcomes of its conditions (true and false are two). A gap is a line that nothing reached, or an outcome that never came. Those without a reason
in tests/coverage_gaps.txt are printed, with FILE also those with one, of that file. Fails if a gap
has no reason, if a reason names a line that is not there, or if too much is missing.
"""

import collections
import json
import pathlib
import re
import sys

LEAST_LINES, LEAST_OUTCOMES = 98, 92  # per cent
REASONS = pathlib.Path(__file__).with_name("coverage_gaps.txt")
ROOT = pathlib.Path(__file__).parents[1]

CONSTANT = re.compile(r"if constexpr \(|\bconstexpr [\w:]+ \w+ = ")

Gap = collections.namedtuple("Gap", "file line text what")


def lines_of(segments):
    """How often each line with code was reached: of the regions on it, the one reached most often.
    The rules are those of LineCoverageStats in LLVM's CoverageMapping.cpp."""
    by_line = collections.defaultdict(list)
    for segment in segments:
        by_line[segment[0]].append(segment)
    wrapped, reached = None, {}
    for line in range(min(by_line, default=0), max(by_line, default=-1) + 1):
        here = by_line[line]
        starts = [count for _, _, count, counted, entry, gap in here if counted and entry and not gap]
        skipped = bool(here) and not here[0][3] and here[0][4]
        if not skipped and (starts or (wrapped and wrapped[3])):
            reached[line] = max(starts + [wrapped[2] if wrapped else 0])
        wrapped = here[-1] if here else wrapped
    return reached


def outcomes_of(branches):
    """(line, column, end, outcome) -> how often it came. A template has one branch per
    instantiation, and these are added."""
    found = collections.Counter()
    for line, column, _, end, true, false, *_ in branches:
        found[line, column, end, "true"] += true
        found[line, column, end, "false"] += false
    return found


def lines_named(file, text):
    """The numbers of the lines that TEXT names: one line, or all from the first to the last of
    'FIRST ... LAST'. Empty if the first is not there, or is there more than once."""
    source = [line.strip() for line in (ROOT / file).read_text().splitlines()]
    first, *last = text.split(" ... ")
    if source.count(first) != 1:
        return range(0)
    begin = source.index(first)
    if not last:
        return range(begin + 1, begin + 2)
    return range(begin + 1, source.index(last[0], begin) + 2) if last[0] in source[begin:] else range(0)


def read_reasons():
    """Returns (file, line number) -> reason, and what is wrong with the reasons."""
    reasons, wrong, reason = {}, [], None
    for line in REASONS.read_text().splitlines():
        if not line.startswith("  "):
            reason = line
            continue
        file, text = line.strip().split(": ", 1)
        named = lines_named(file, text)
        if not named:
            wrong.append(f"{REASONS.name}: names no line, or more than one: {line.strip()}")
        reasons.update(((file, each), reason) for each in named)
    return reasons, wrong


def gaps_of(file, source, lines, outcomes):
    def gap(line, what):
        return Gap(file, line, source[line - 1].strip(), what)

    for line, count in lines.items():
        if count == 0:
            yield gap(line, "never reached")
    for (line, column, end, outcome), count in outcomes.items():
        if count == 0 and lines.get(line, 0) > 0:
            yield gap(line, f"never {outcome}: {source[line - 1][column - 1:end - 1]}")


def share(part, whole):
    return 100 * part / whole if whole else 100


def files_of(exports):
    """Yields for each file its path, its lines and its outcomes. An export has a file twice if two
    compilations named it differently (as ccache does)."""
    parts = collections.defaultdict(list)
    for each in (each for export in exports
                 for each in json.loads(pathlib.Path(export).read_text())["data"][0]["files"]):
        path = pathlib.Path(each["filename"]).resolve()
        if path.is_relative_to(ROOT / "fibers") and not path.is_relative_to(ROOT / "fibers/programs"):
            parts[str(path.relative_to(ROOT))].append(each)
    for file, versions in sorted(parts.items()):
        lines, outcomes = collections.Counter(), collections.Counter()
        for each in versions:
            lines.update(lines_of(each["segments"]))
            outcomes.update(outcomes_of(each["branches"]))
        yield file, lines, outcomes


def is_constant(source, outcome):
    """Whether the condition is one of the compiler's, with one outcome per instantiation."""
    line, column, *_ = outcome
    before = source[line - 1][:column - 1]
    while not re.search(r"[;{}]", before) and line > 1:  # back to the beginning of the statement
        line -= 1
        before = source[line - 1] + before
    return CONSTANT.search(before) is not None


def read(exports):
    """Prints a line per file. Returns the sums and all gaps."""
    gaps, sums = [], [0, 0, 0, 0]
    print(f"{'':36} {'lines':>13} {'outcomes':>13}")
    for file, lines, outcomes in files_of(exports):
        source = (ROOT / file).read_text().splitlines()
        outcomes = {each: count for each, count in outcomes.items() if not is_constant(source, each)}
        counts = [sum(map(bool, lines.values())), len(lines), sum(map(bool, outcomes.values())), len(outcomes)]
        sums = [sum(both) for both in zip(sums, counts)]
        print(f"{file:36} {counts[0]:6}/{counts[1]:6} {counts[2]:6}/{counts[3]:6}")
        gaps += sorted(gaps_of(file, source, lines, outcomes))
    return sums, gaps


def main(*arguments):
    exports = [each for each in arguments if each.endswith(".json")]
    files = [each for each in arguments if not each.endswith(".json")]
    sums, gaps = read(exports)
    reasons, wrong = read_reasons()
    print()
    for gap in gaps:
        reason = reasons.get((gap.file, gap.line))
        if reason is None or gap.file in files:
            print(f"{gap.file}:{gap.line}: {gap.what} " + (f"({reason})" if reason else f"[{gap.text}]"))
    for each in wrong:
        print(each)
    unexplained = sum((gap.file, gap.line) not in reasons for gap in gaps)
    lines, outcomes = share(*sums[:2]), share(*sums[2:])
    print(f"\nlines {lines:.1f} % (at least {LEAST_LINES}), outcomes of conditions {outcomes:.1f} % "
          f"(at least {LEAST_OUTCOMES}); gaps {len(gaps)}, without a reason {unexplained}")
    return bool(unexplained or wrong) or lines < LEAST_LINES or outcomes < LEAST_OUTCOMES


sys.exit(main(*sys.argv[1:]))
