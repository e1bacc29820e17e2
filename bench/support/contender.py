# SPDX-License-Identifier: BSL-1.0
"""What all contenders written in Python share: numbers in, one JSON object out."""
import argparse
import json
import resource
import sys


def arguments(about, **defaults):
    """The command line: `--name VALUE` for each whole number, and which pool is to be measured."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--pool", required=True, help="one of support/python_pools.py")
    parser.add_argument("--processes", type=int, default=2)
    for name, value in defaults.items():
        parser.add_argument("--" + name.replace("_", "-"), type=int, default=value)
    return parser.parse_args()


def expect(right, what):
    """Nothing is printed for a run whose result is wrong."""
    if not right:
        sys.exit("wrong result: " + what)


def report(**metrics):
    print(json.dumps(metrics), flush=True)


def cpu_seconds():
    """CPU time of all threads of this process, user's and system's, without its children."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def quantile(values, part):
    return sorted(values)[int(part * (len(values) - 1) + 0.5)]
