#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Compile a case that must not compile, and look at what the compiler says first.

usage: run.py compile_commands.json cases.cpp case.cpp

The case is compiled with the command of cases.cpp from the compile database, as far as the syntax.
Each of its lines

    // expect: text

names a text that must stand in the first error: on the line that says "error:", or on the few
lines after it that belong to the same diagnostic. A case without such a line is a control and must
compile.

    // most lines: 60
    // flags: -std=c++17

bound all that the compiler says, to two errors and so many lines, and add to the flags. A case with
flags of its own is compiled without the precompiled header, which has others.
"""

import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

# A diagnostic longer than this is one that nobody reads: what helps must come before.
LINES_THAT_ARE_READ = 8

# Where a case bounds the lines. Some compilers add an error that repeats the first.
MOST_ERRORS = 2

# What a command may begin with before the compiler. ccache, with a clang that it hands an error to,
# asks for colours whatever the command says.
CACHES = ("cached", "ccache")

ERROR = re.compile(r"(?:^|: )(?:fatal )?error: ")


def compile_command(database: pathlib.Path, model: pathlib.Path) -> tuple[list[str], str]:
    """The model's command without its source and its output, and the folder that it runs in."""
    for entry in json.loads(database.read_text()):
        source = pathlib.Path(entry["directory"], entry["file"])
        if source.resolve() != model.resolve():
            continue
        words = iter(shlex.split(entry["command"]))
        kept = []
        for word in words:
            if word in ("-o", "-MF", "-MQ", "-MT"):
                next(words)
            elif (
                word not in ("-c", "-MD", "-MMD", entry["file"])
                and os.path.basename(word) not in CACHES
            ):
                kept.append(word)
        # No warnings: -Werror must not stand in for the error that is looked for.
        return kept + ["-w", "-fsyntax-only", "-fdiagnostics-color=never"], entry["directory"]
    sys.exit(f"{model} is not in {database}")


def without_precompiled_header(command: list[str]) -> list[str]:
    """A command without the words that Meson adds for a precompiled header."""
    kept = []
    words = iter(command)
    for word in words:
        if word in ("-include", "-include-pch"):
            next(words)
        else:
            kept.append(word)
    return kept


def first_diagnostic(output: str) -> str:
    """The first error with what belongs to it: up to the next error, or as far as anybody reads."""
    lines = output.splitlines()
    errors = [number for number, line in enumerate(lines) if ERROR.search(line)]
    if not errors:
        return ""
    first = errors[0]
    end = errors[1] if len(errors) > 1 else len(lines)
    return "\n".join(lines[first : min(end, first + LINES_THAT_ARE_READ)])


def main() -> int:
    database, model, case = map(pathlib.Path, sys.argv[1:])
    text = case.read_text()
    expected = re.findall(r"^\s*// expect: (.*\S)", text, re.MULTILINE)
    most_lines = re.search(r"^// most lines: (\d+)", text, re.MULTILINE)
    command, folder = compile_command(database, model)
    for flags in re.findall(r"^// flags: (.*\S)", text, re.MULTILINE):
        command = without_precompiled_header(command) + shlex.split(flags)
    compiled = subprocess.run(
        [*command, str(case.resolve())],
        cwd=folder,
        env={**os.environ, "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )

    if not expected:
        if compiled.returncode != 0:
            print(f"{case.name} should compile, and does not:\n\n{compiled.stdout}")
        return compiled.returncode

    if compiled.returncode == 0:
        print(f"{case.name} should not compile, and does.")
        return 1

    diagnostic = first_diagnostic(compiled.stdout)
    missing = [text for text in expected if text not in diagnostic]
    for text in missing:
        print(f"{case.name}: not in the first error: {text}")
    if missing:
        print(f"\nThe first error:\n\n{diagnostic}\n\nAll of the output:\n\n{compiled.stdout}")
        return 1

    lines = compiled.stdout.splitlines()
    errors = sum(1 for line in lines if ERROR.search(line))
    if most_lines and (len(lines) > int(most_lines[1]) or errors > MOST_ERRORS):
        print(f"{case.name}: {errors} errors in {len(lines)} lines:\n\n{compiled.stdout}")
        return 1

    print(diagnostic)
    return 0


if __name__ == "__main__":
    sys.exit(main())
