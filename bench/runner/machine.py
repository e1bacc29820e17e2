# SPDX-License-Identifier: BSL-1.0
"""What the figures were measured on."""
import os
import platform
import subprocess
from pathlib import Path

from .build import ROOT, python


def first_line(*command) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    except OSError:
        return ""
    return (done.stdout.splitlines() or [""])[0]


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def memory() -> str:
    kibibytes = int(Path("/proc/meminfo").read_text().split()[1])
    return f"{kibibytes / 2**20:.0f} GiB"


def commit() -> str:
    return first_line("git", "-C", str(ROOT), "describe", "--always", "--dirty")


def facts() -> dict[str, str]:
    facts = {
        "processor": processor(),
        "CPUs": str(len(os.sched_getaffinity(0))),
        "memory": memory(),
        "kernel": f"{platform.system()} {platform.release()}",
        "compiler": first_line(*os.environ.get("CXX", "c++").split(), "--version"),
        "Python": first_line(python(), "--version"),
        "MPI": first_line("mpirun", "--version"),
        "coterie": commit(),
    }
    return {name: value for name, value in facts.items() if value}


def load() -> float:
    """Processes that want a CPU, on average over the last minute."""
    return os.getloadavg()[0]
