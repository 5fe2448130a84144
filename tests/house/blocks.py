#!/usr/bin/env python3
"""Checks the examples in the documents: C++ compiles, programs exist and know their options.

    tests/house/blocks.py COMPILER BIN      BIN: the folder of the programs; exit code 1 if one is wrong

A block of C++ must compile as a whole program, in a function that has a scheduler and a stream, or at
namespace scope. Command lines are not run, because most take minutes: this script checks only that the
program exists and, for bench/run, that its --help names the options.
"""

import concurrent.futures
import re
import subprocess
import sys
import tempfile
from pathlib import Path

PREAMBLE = "".join(f"#include <{each}>\n" for each in ("array", "boost/asio.hpp", "chrono", "cstdio", "string"))
SCOPE = """
using namespace std::chrono_literals;
template <class... Anything> void use(Anything&&...);
"""


def documents():
    listed = subprocess.run(("git", "ls-files", "*.md"), capture_output=True, text=True).stdout
    return [Path(each) for each in listed.splitlines()] or [Path("README.md")]


def blocks(text):
    """Yields the language, line number and text of each fenced block and of each indented line."""
    fence = None
    indented, start = [], 0
    for number, line in enumerate(text.split("\n"), 1):
        if fence is None and (opened := re.match(r"```(\w*)$", line)):
            fence, body, begin = opened[1], [], number + 1
        elif fence is not None and line == "```":
            yield fence, begin, "\n".join(body)
            fence = None
        elif fence is not None:
            body.append(line)
        elif line.startswith("    "):
            yield "sh", number, line.strip()


def headers():
    found = sorted(path for folder in ("", "memory", "time") for path in Path("fibers", folder).glob("*.hpp"))
    return "".join(f"#include <{each}>\n" for each in found)


class Prefix:
    """What stands before a block that is no whole program, compiled once."""

    def __init__(self, compiler, folder):
        self.header = Path(folder) / "prefix.hpp"
        self.header.write_text(PREAMBLE + headers() + SCOPE)
        precompiled = f"{self.header}.gch"
        command = [*compiler, "-std=c++20", "-I", ".", "-x", "c++-header", self.header, "-o", precompiled]
        subprocess.run(command, check=True)


def compiles(compiler, text, *options):
    command = [*compiler, "-std=c++20", "-fsyntax-only", "-I", ".", *options, "-x", "c++", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    return None if done.returncode == 0 else done.stderr


def wrong_cpp(compiler, prefix, text):
    if "int main(" in text:
        return compiles(compiler, text)
    after_prefix = ("-include", prefix.header)
    wrong = compiles(compiler, text, *after_prefix)  # at namespace scope, as most
    if wrong is None:
        return None
    inside = f"void example(fibers::scheduler& scheduler, fibers::tcp::stream& stream) {{\n{text}\n}}\n"
    return wrong if compiles(compiler, inside, *after_prefix) else None


def wrong_command(programs, line):
    words = re.sub(r"'[^']*'", "QUOTED", line.split("#")[0]).split()  # options of other programs
    if not words:
        return None
    name, given = words[0], words[1:]
    if not re.fullmatch(r"[\w./-]+", name) or name.endswith("/"):
        return None
    if name.startswith("build/release/bin/"):
        program = programs / name.rsplit("/", 1)[1]
        if not program.exists() and program.name != "micro_bench":
            return f"there is no {program.name}"
        return None
    if name != "bench/run":
        return None if "/" not in name or name == "nc" or Path(name).exists() else f"there is no {name}"
    command = given[0] if given and not given[0].startswith("-") else "run"
    done = subprocess.run((programs / "echobench", command, "--help"), capture_output=True, text=True)
    if done.returncode != 0:
        return f"echobench knows no {command}"
    for option in re.findall(r"(?:^|\s)(--[a-z-]+)", " ".join(given)):
        if option not in done.stdout and option != "--help":
            return f"echobench {command} knows no {option}"
    return None


def main():
    compiler, programs = sys.argv[1].split(), Path(sys.argv[2])
    jobs = []
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        prefix = Prefix(compiler, folder)
        for document in documents():
            for language, number, text in blocks(document.read_text()):
                if language in ("cpp", "c++"):
                    jobs.append((document, number, pool.submit(wrong_cpp, compiler, prefix, text)))
                elif language in ("sh", "bash", "console"):
                    for line in text.split("\n"):
                        jobs.append((document, number, pool.submit(wrong_command, programs, line)))
    wrong = [(document, number, job.result()) for document, number, job in jobs if job.result()]
    for document, number, said in wrong:
        print(f"{document}:{number}: {said}")
    print(f"{len(jobs) - len(wrong)} of {len(jobs)} examples are right")
    return 1 if wrong or not jobs else 0


if __name__ == "__main__":
    sys.exit(main())
