#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks that the programs shown in README.md are the ones that are compiled.

A block of code that follows a line `<!-- FILE -->` must be the text of FILE, less its first comments.
"""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
readme = (root / "README.md").read_text()
blocks = re.findall(r"<!-- (\S+) -->\n```cpp\n(.*?)```", readme, re.DOTALL)
failures = []
for name, shown in blocks:
    compiled = (root / name).read_text()
    compiled = compiled[compiled.index("#include"):]
    if shown != compiled:
        failures.append(f"README.md shows another text than {name} has")
if not blocks:
    failures.append("README.md shows no program")
print("\n".join(failures) or f"{len(blocks)} programs shown as they are compiled")
sys.exit(bool(failures))
