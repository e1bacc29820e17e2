#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks that the constants of time of lib/ stand in lib/timing/timing.hpp, and nowhere else.

The smallest step of a clock, a nanosecond, is no constant in this sense, nor is zero.
"""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
home = root / "lib/timing/timing.hpp"

unit = r"(?!nanoseconds{[01]})(?:(?:nano|micro|milli)?seconds|minutes|hours)"
constant = re.compile(rf"\b{unit}(?: \w+)?{{\d+|\b\d[\d']*(?:ns|us|ms|s|min|h)\b")

failures = []
files = sorted(each for each in (root / "lib").rglob("*") if each.suffix in (".hpp", ".cpp"))
for file in files:
    if file == home:
        continue
    for number, line in enumerate(file.read_text().splitlines(), 1):
        if found := constant.search(re.sub(r'//.*|"[^"]*"', "", line)):
            failures.append(f"{file.relative_to(root)}:{number}: {found[0]}: a constant of time: "
                            f"move it, with its reason, to {home.relative_to(root)}, where "
                            "tests that make up their clock find it")
print("\n".join(failures) or f"{len(files)} files have their constants of time in one")
sys.exit(bool(failures))
