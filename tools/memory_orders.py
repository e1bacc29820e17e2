#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Finds every memory order in C++ sources, and says how each can be weakened by one step.

usage: memory_orders.py FILE...

Prints a line for each weakening, with tabs between: the file, the offset of the order in it, the
order, the weaker one, and a name of four parts that holds when lines move: file, function, line of
code, weaker order.
"""

import collections
import re
import sys

ORDER = re.compile(r"\bmemory_order(?:_|::)(consume|acquire|release|acq_rel|seq_cst)\b")
OPERATION = re.compile(r"\b(load|store|exchange|fetch_\w+|compare_exchange_\w+|\w+_fence)\(")
# A definition begins at the margin, or in a class, where its type comes before its name.
DEFINITION = re.compile(
    r"(?:  (?=[^\s(]+ ))?(?![\s/#]|(?:return|using|if|for|while)\b)[^=;({]*?([\w:~]+)\("
)

WEAKER = {"acq_rel": ["acquire", "release"], "acquire": ["relaxed"], "release": ["relaxed"]}
WEAKER["consume"] = ["relaxed"]
# What a sequentially consistent operation becomes.
NEXT = {"load": "acquire", "store": "release"}


def weaker(operation, order):
    return [NEXT.get(operation, "acq_rel")] if order == "seq_cst" else WEAKER[order]


def weakenings(path):
    text = open(path).read()
    function, offset = "", 0
    for line in text.splitlines(keepends=True):
        code = line.split("//")[0]
        definition = DEFINITION.match(code)
        if definition:
            function = definition.group(1)
        for found in ORDER.finditer(code):
            begin = offset + found.start(1)
            operations = OPERATION.findall(text, max(0, begin - 300), begin)
            for order in weaker(operations[-1] if operations else "", found.group(1)):
                yield begin, found.group(1), order, (path, function, code.strip())
        offset += len(line)


def main(paths):
    times = collections.Counter()
    for path in paths:
        for begin, strong, weak, name in weakenings(path):
            times[name, weak] += 1
            again = f" (no. {times[name, weak]})" if times[name, weak] > 1 else ""
            print(path, begin, strong, weak, " | ".join(name) + again + " | " + weak, sep="\t")


main(sys.argv[1:])
