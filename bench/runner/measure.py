# SPDX-License-Identifier: BSL-1.0
"""Runs the contenders of a workload in turn, again and again, each run a process of its own."""
import json
import os
import signal
import subprocess
import sys
import time

from .build import BENCH, Programs
from .model import Case, Contender, Workload

CANNOT_TAKE_PART = 77


class Unfit(Exception):
    """The contender cannot take part, and says why."""


class Failed(Exception):
    """The contender should have come to a result, and has not."""


def environment() -> dict[str, str]:
    """Ours, without settings that would change what is measured."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("COTERIE_")}
    return {**kept, "PYTHONPATH": str(BENCH), "RAY_DISABLE_IMPORT_WARNING": "1"}


def one_run(command: list[str], timeout: int) -> dict[str, float]:
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=environment(),
        start_new_session=True,
    )
    try:
        output, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise Failed(f"no result within {timeout} s") from None
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    said = [line.strip() for line in errors.splitlines() if line.strip()]
    if process.returncode == CANNOT_TAKE_PART:
        raise Unfit(said[-1] if said else "it does not say why")
    results = [line for line in output.splitlines() if line.startswith("{")]
    if process.returncode != 0 or not results:
        # mpirun adds many lines about who ended whom: what went wrong is said first.
        reason = next((line for line in said if line.startswith("wrong result")), None)
        raise Failed(f"exit code {process.returncode}: {reason or (said or ['nothing said'])[-1]}")
    return json.loads(results[-1])


class Measured:
    """The runs of one workload: case -> contender -> one dictionary a run."""

    def __init__(self, workload: Workload):
        self.workload = workload
        self.runs: dict[str, dict[str, list[dict[str, float]]]] = {
            case.name: {} for case in workload.cases
        }
        self.skipped: dict[str, str] = {}
        self.failed: dict[str, str] = {}

    def present(self, case: Case) -> list[Contender]:
        return [
            each
            for each in self.workload.contenders
            if each.name not in self.skipped
            and f"{each.name}, {case.name}" not in self.failed
            and (not each.cases or case.name in each.cases)
        ]


def measure(workload: Workload, programs: Programs, runs: int, quick: bool, chosen) -> Measured:
    """`chosen` says of a contender's name whether it is wanted."""
    measured = Measured(workload)
    for contender in workload.contenders:
        if not chosen(contender.name):
            measured.skipped[contender.name] = "not asked for"
        elif reason := programs.reason_against(contender, workload):
            measured.skipped[contender.name] = reason

    shown = workload.metrics[0]
    for repetition in range(1, runs + 1):
        for case in workload.cases:
            # Round robin: when the machine is slower for a while, it is so for all.
            for contender in measured.present(case):
                command = programs.command(contender, workload, case.given(quick))
                begin = time.monotonic()
                try:
                    result = one_run(command, workload.timeout)
                except Unfit as reason:
                    measured.skipped[contender.name] = str(reason)
                    continue
                except Failed as problem:
                    measured.failed[f"{contender.name}, {case.name}"] = str(problem)
                    measured.runs[case.name].pop(contender.name, None)
                    line = f"FAILED: {problem}"
                else:
                    measured.runs[case.name].setdefault(contender.name, []).append(result)
                    line = "-"
                    if shown.key in result:
                        line = f"{result[shown.key] * shown.scale:.4g} {shown.unit}"
                took = time.monotonic() - begin
                print(
                    f"{workload.name:<15}{repetition}/{runs}  {case.name:<22}{contender.name:<40}"
                    f"{line}   ({took:.1f} s)",
                    file=sys.stderr,
                    flush=True,
                )
    return measured
