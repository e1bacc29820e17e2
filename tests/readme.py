#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks that the programs shown in README.md are the ones that are compiled.

A block of code that follows a line `<!-- FILE -->` must be the text of FILE, less its first comments.
One that follows `<!-- in FILE -->` must stand in FILE, indented.
"""
import pathlib
import re
import sys
import textwrap

root = pathlib.Path(__file__).resolve().parent.parent
readme = (root / "README.md").read_text()
blocks = re.findall(r"<!-- (in )?(\S+) -->\n```cpp\n(.*?)```", readme, re.DOTALL)
failures = []
for part, name, shown in blocks:
    compiled = (root / name).read_text()
    compiled = compiled[compiled.index("#include"):]
    if part:
        same = textwrap.indent(shown, "  ") in compiled
    else:
        same = shown == compiled
    if not same:
        failures.append(f"README.md shows another text than {name} has")
if not blocks:
    failures.append("README.md shows no program")
print("\n".join(failures) or f"{len(blocks)} programs shown as they are compiled")
sys.exit(bool(failures))
