#!/usr/bin/env python3
"""Checks the rules for sources and documents on all files that git does not ignore.

    tests/house/check.py            prints one line per violation; exit code 1 if there is one
    tests/house/check.py --planted  breaks each rule in a small tree; exit code 1 if a rule misses that

A rule is a function that takes a tree (path -> text) and yields complaints. rules.py holds the limits
and the exceptions.
"""

import re
import subprocess
import sys
from pathlib import Path, PurePosixPath

import rules
from planted import planted

SOURCE = (".cpp", ".hpp")


def sources(tree, *folders):
    return {
        path: text
        for path, text in tree.items()
        if path.endswith(SOURCE) and path.startswith(tuple(f"{each}/" for each in folders))
    }


def stem(path):
    return str(PurePosixPath(path).with_suffix(""))


def includes(text):
    return re.findall(r"^#include <((?:bench|fibers|asio_baseline|tests)/[^>]+)>", text, re.M)


def room_of(path):
    parts = path.split("/")
    return parts[1] if len(parts) > 2 and parts[0] != "fibers" else ""


def includes_point_down(tree):
    rooms = rules.ROOMS
    for path, text in sources(tree, "bench", "asio_baseline").items():
        here = room_of(path) or "asio_baseline"
        for included in includes(text):
            there = room_of(included) or included.split("/")[0]
            if here == there or (here == "report" and there == "report"):
                continue
            if there not in rules.MAY_INCLUDE.get(here, rooms[: rooms.index(here)] if here in rooms else []):
                yield f"{path} includes <{included}>, which stands above it"


def rank(path):
    order = rules.LIBRARY
    name = path.removeprefix("fibers/")
    return order.index(name) if name in order else order.index(stem(name))


def library_points_down(tree):
    for path, text in sources(tree, "fibers").items():
        if path.startswith(("fibers/programs/", "fibers/examples/")):
            continue
        try:
            here = rank(path)
        except ValueError:
            yield f"{path} has no place in the order of the library (tests/house/rules.py)"
            continue
        for included in includes(text):
            if not included.startswith("fibers/"):
                yield f"{path} includes <{included}>, which is not of the library"
            elif stem(included) != stem(path) and rank(included) >= here:
                yield f"{path} includes <{included}>, which stands above it"


def rooms_stay_small(tree):
    count = {}
    for path in tree:
        folder = str(PurePosixPath(path).parent)
        if path.startswith(("bench/", "fibers/", "asio_baseline/")) and not path.endswith(
            ("CMakeLists.txt", ".cmake", "README.md")
        ):
            count[folder] = count.get(folder, 0) + 1
    for folder, files in sorted(count.items()):
        most = rules.ROOM_SIZES.get(folder, rules.ROOM_SIZE)
        if files > most:
            yield f"{folder}/ holds {files} files, and {most} are the most"


def names_do_not_repeat_their_room(tree):
    for path in sources(tree, "bench"):
        room, name = PurePosixPath(path).parent.name, PurePosixPath(path).stem
        if name.startswith(f"{room}_") or name.endswith(f"_{room}"):
            yield f"{path} repeats the name of its room"


def files_stay_short(tree):
    for path, text in sources(tree, "bench", "fibers", "asio_baseline", "tests").items():
        most = rules.TEST_LINES if path.startswith("tests/") else rules.FILE_LINES
        lines = text.count("\n")
        if lines > most and path not in rules.LONG_FILES:
            yield f"{path} has {lines} lines, and {most} are the most"
    for path in rules.LONG_FILES:
        if tree.get(path, "").count("\n") <= rules.FILE_LINES:
            yield f"{path} needs its exception no more (tests/house/rules.py)"


def functions(text):
    """Yields the name and the length of each function. Relies on the layout of clang-format: the
    closing brace has the indentation of the line where the function begins."""
    lines = text.split("\n")
    no_function = r" *(namespace|struct|class|enum|union|extern|if|for|while|switch|do|else|case|try)\b"
    for number, line in enumerate(lines):
        if not re.match(r" *[^ #/}].*\{$", line):
            continue
        first = number  # of a head that takes several lines: its first line
        while first > 0 and re.match(r"(    |  : )+", lines[first]) and lines[first - 1].strip():
            if not re.match(r".*[(,:=&|<>]$|.*\)( const)?( noexcept)?$", lines[first - 1]):
                break
            first -= 1
        head = " ".join(lines[first : number + 1])
        if "(" not in head or re.match(no_function, head) or re.search(r"= *\{$|\[.*\].*\{$", head):
            continue
        indent = re.match(" *", lines[first])[0]
        end = next((i for i in range(number + 1, len(lines)) if lines[i].startswith(indent + "}")), number)
        yield head.split("(")[0].split()[-1], end - first + 1


def functions_stay_short(tree):
    seen = set()
    for path, text in sources(tree, "bench", "fibers", "asio_baseline").items():
        for name, lines in functions(text):
            if lines > rules.FUNCTION_LINES:
                seen.add((path, name))
                if (path, name) not in rules.LONG_FUNCTIONS:
                    yield f"{path}: {name} has {lines} lines, and {rules.FUNCTION_LINES} are the most"
    for path, name in rules.LONG_FUNCTIONS.keys() - seen:
        yield f"{path}: {name} needs its exception no more (tests/house/rules.py)"


def units_have_tests(tree):
    units = {stem(path) for path in sources(tree, "bench", "fibers")}
    excuses = rules.WITHOUT_TEST
    for unit in sorted(units):
        tested = f"tests/{unit}_test.cpp" in tree
        if tested and unit in excuses:
            yield f"{unit} has a test, and still a reason to have none (tests/house/rules.py)"
        elif not tested and not any(unit == each or unit.startswith(each + "/") for each in excuses):
            yield f"{unit} has no tests/{unit}_test.cpp and no reason in tests/house/rules.py"
    for excuse in excuses:
        if not any(unit == excuse or unit.startswith(excuse + "/") for unit in units):
            yield f"{excuse} is no more, and still has a reason to have no test (tests/house/rules.py)"


def comments(text):
    for number, line in enumerate(text.split("\n"), 1):
        found = re.search(r"(?:^|\s)(?://|#)\s(.*)$", line)
        if found:
            yield number, found[1]


def comments_are_plain(tree):
    for path, text in tree.items():
        if path.startswith("tests/house/"):
            continue
        prose = path.endswith(".md")
        if not prose and not path.endswith(SOURCE):
            continue
        lines = enumerate(text.split("\n"), 1) if prose else comments(text)
        for number, line in lines:
            for pattern, instead in rules.NOT_PLAIN.items():
                if re.search(pattern, line):
                    yield f"{path}:{number}: {instead}"


def public_headers_are_the_list(tree):
    listed = re.search(r"FILE_SET HEADERS.*?FILES\n(.*?)\)", tree["fibers/CMakeLists.txt"], re.S)
    listed = set(re.findall(r"^  ([\w/]+\.hpp)", listed[1], re.M)) if listed else set()
    there = {name.removeprefix("fibers/") for name in tree if re.match(r"fibers/(?!reactors/)[\w/]+\.hpp$", name)}
    for name in sorted(there - listed - rules.PRIVATE_HEADERS.keys()):
        yield f"fibers/{name} is not installed: private headers stand in fibers/reactors/"
    for name in sorted(listed - there):
        yield f"fibers/{name} is to be installed and does not exist"
    for name in sorted(listed & there):
        for included in includes(tree[f"fibers/{name}"]):
            if included.removeprefix("fibers/") not in listed:
                yield f"fibers/{name} is public and includes <{included}>, which is private"
        if "liburing" in "".join(re.findall(r"^#include.*$", tree[f"fibers/{name}"], re.M)):
            yield f"fibers/{name} is public and needs liburing"


RULES = [
    includes_point_down,
    library_points_down,
    rooms_stay_small,
    names_do_not_repeat_their_room,
    files_stay_short,
    functions_stay_short,
    units_have_tests,
    comments_are_plain,
    public_headers_are_the_list,
]


def subjects_are_short(subjects):
    for subject in subjects:
        if len(subject) > 72 or not re.match(r"[a-z_.]+(, [a-z_.]+)*: [a-z].*[^.]$", subject):
            yield f"commit '{subject}': wanted is 'area: imperative' in 72 characters"


def git(*arguments):
    done = subprocess.run(("git", *arguments), capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else None


def main():
    if sys.argv[1:] == ["--planted"]:
        unseen = planted(RULES, subjects_are_short)
        print("\n".join(unseen) or "each rule sees what breaks it")
        return 1 if unseen else 0
    listed = git("ls-files", "--cached", "--others", "--exclude-standard")
    if not listed:
        print("skipped: the rules of the house are checked on what git knows, and this is no checkout")
        return 77
    tree = {}
    for path in listed.splitlines():
        if Path(path).is_file():
            tree[path] = Path(path).read_text(errors="replace")
    found = [complaint for rule in RULES for complaint in rule(tree)]
    history = git("log", "--format=%s", f"{rules.SUBJECTS_SINCE}..HEAD")
    found += subjects_are_short((history or "").splitlines())
    print("\n".join(found) or f"{len(RULES) + 1} rules hold in {len(tree)} files")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
