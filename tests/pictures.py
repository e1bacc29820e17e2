#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks that the pictures of docs/ are what docs/pictures/draw makes, and still true.

Names of the code that a picture shows must stand in the code, and the steps that it numbers in
docs/architecture.md. Each picture is shown somewhere, with words for those that cannot see it.
"""
import pathlib
import re
import sys

sys.dont_write_bytecode = True
root = pathlib.Path(__file__).resolve().parent.parent
folder = root / "docs/pictures"
sys.path.insert(0, str(folder))

import call  # noqa: E402
import pictures  # noqa: E402

made = pictures.all_pictures()
failures = []


def fail(file, problem):
    failures.append(f"docs/pictures/{file}: {problem}")


for each in made:
    file = folder / each.file
    if not file.exists() or file.read_text(encoding="utf-8") != each.svg():
        fail(each.file, "is not what the script makes: run docs/pictures/draw, and look at it")
for file in sorted({each.name for each in folder.glob("*.svg")} - {each.file for each in made}):
    fail(file, "is made by no script: remove it")

code = "\n".join(file.read_text(encoding="utf-8") for top in ("include", "lib")
                 for file in (root / top).rglob("*") if file.suffix in (".h", ".hpp", ".cpp"))
words = set(re.findall(r"\w+", re.sub(r"//.*", "", code)))
for each in made:
    for name in sorted(each.names):
        if re.fullmatch(r"[\w:]+", name) and (lost := set(name.split("::")) - words):
            fail(each.file, f"shows {name}, and the code knows no {', '.join(sorted(lost))}")

page = (root / "docs/architecture.md").read_text(encoding="utf-8")
steps = re.findall(r"^\d+\. \*\*(.+?)\.\*\*", page, re.MULTILINE)
if steps != call.STEPS:
    fail("call.py", f"numbers the steps {call.STEPS}, docs/architecture.md has {steps}")

pages = [root / "README.md", *sorted((root / "docs").glob("*.md"))]
shown = set()
for page in pages:
    for words_for_it, target in re.findall(r"!\[([^\]]*)\]\(([^)\s]+\.svg)\)", page.read_text()):
        file = (page.parent / target).resolve()
        if not file.exists():
            failures.append(f"{page.relative_to(root)}: there is no {target}")
        if not words_for_it:
            failures.append(f"{page.relative_to(root)}: {target} is shown without words for it")
        shown.add(file)
for each in made:
    if folder / each.file not in shown:
        fail(each.file, "is shown on no page")

print("\n".join(failures) or f"{len(made)} pictures are as the script makes them")
sys.exit(bool(failures))
