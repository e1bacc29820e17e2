# SPDX-License-Identifier: BSL-1.0
from runner.contenders import STANDARD_PYTHON, coterie, in_cases, limit, python
from runner.model import Case, Metric, Target, Workload

MANY = Case(
    "256 workers",
    {"processes": 256, "tasks": 5_120, "sleep-ms": 50},
    {"processes": 32, "tasks": 128},
)
MORE = Case(
    "1000 workers",
    {"processes": 1_000, "tasks": 4_000, "sleep-ms": 50},
    {"processes": 100, "tasks": 200},
)

WORKLOAD = Workload(
    name="many",
    title="Hundreds of workers",
    about=(
        "Tasks that sleep for 50 ms, `chunksize = 1`. Ideal: all workers sleep at the same time. The start "
        "ends when the last worker is ready, the stop when the last process is gone; coterie makes sure that "
        "none is left."
    ),
    metrics=[
        Metric("beside_ideal", "time / ideal", "", beside=["multiprocessing.Pool"]),
        Metric(
            "parent_cpu_seconds_per_task", "parent's CPU a task", "us", 1e6,
            beside=["multiprocessing.Pool", "limit: bare socket pairs"],
        ),
        Metric("start_seconds", "start", "s", beside=["multiprocessing.Pool"]),
        Metric("stop_seconds", "stop", "s"),
    ],
    cases=[MANY, MORE],
    contenders=[
        *coterie(),
        *in_cases(python(*STANDARD_PYTHON), [MANY]),
        *in_cases([limit("bare socket pairs", "limits/crowd", takes_case=True)], [MANY]),
    ],
    targets=[
        Target("within 3% of ideal", "beside_ideal", ["coterie {loop} ring"], at_most=1.03, case=MANY.name),
        Target(
            "the parent's CPU a task at most 0.1 x that of multiprocessing.Pool",
            "parent_cpu_seconds_per_task",
            ["coterie {loop} ring"],
            at_most=0.1,
            of=["multiprocessing.Pool"],
            case=MANY.name,
        ),
        Target(
            "256 workers start sooner than multiprocessing.Pool forks them",
            "start_seconds",
            ["coterie {loop} ring"],
            at_most=1,
            of=["multiprocessing.Pool"],
            case=MANY.name,
        ),
        Target(
            "1,000 workers start and stop, and no process is left",
            "stop_seconds",
            ["coterie {loop} ring"],
            at_least=0,
            case=MORE.name,
        ),
    ],
)  # fmt: skip
