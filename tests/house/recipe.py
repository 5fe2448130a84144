#!/usr/bin/env python3
"""Runs the steps of docs/github-actions/performance.yml: tests/house/recipe.py

Both checkouts of the recipe are this one, which is built already, and the run has one round. So no
difference can be proved, and the gate must say so. What a hosted machine needs first, packages and
checkouts, is left out.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

RECIPE = Path("docs/github-actions/performance.yml")
UNDECIDED = 4


def steps():
    found = re.findall(r"^ +(?:- )?run: (.*)$", RECIPE.read_text(), re.MULTILINE)
    return [each for each in found if not each.startswith("apt-get ")]


def main():
    root = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("base", "head"):
            Path(folder, name).symlink_to(root)
        summary = Path(folder, "summary.md")
        variables = {**os.environ, "GITHUB_STEP_SUMMARY": str(summary)}
        for command in steps():
            measures = "--gate" in command
            shorter = command.replace("--suite quick", "--suite quick --rounds 1")
            done = subprocess.run(("bash", "-c", shorter), cwd=folder, env=variables, text=True, capture_output=True)
            if done.returncode != (UNDECIDED if measures else 0):
                print(f"{shorter}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
                return 1
        text = summary.read_text()
        for part in ("Gate 3.0 %: inconclusive", "fibers/epoll / old/fibers/epoll"):
            if part not in text:
                print(f"the summary of the job does not say '{part}'")
                return 1
        if "too few rounds" not in text and "No verdict" not in text:  # others had the processor
            print(f"the summary of the job does not say why: {text}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
