# SPDX-License-Identifier: BSL-1.0
"""The programs are those of `latency` and `grain`, with more workers than CPUs."""
from runner.contenders import coterie, coterie_polling, in_cases, open_mpi, python
from runner.model import Case, Metric, Target, Workload

WORKERS = (2, 4, 8)
APPLY = [
    Case(f"apply, {n} workers", {"processes": n, "calls": 20_000, "seconds": 2}, {"calls": 300})
    for n in WORKERS
]
MAP = [
    Case(f"map, {n} workers", {"processes": n, "tasks": 100_000, "task-ns": 10_000}, {"tasks": 2_000})
    for n in WORKERS
]

BESIDE = ["coterie epoll ring, polling off", "Open MPI"]

# mpirun, told that there are more ranks than CPUs, lets them yield between two looks. This does
# not.
NEVER_YIELDING = open_mpi(
    "Open MPI, not yielding", program="latency/open_mpi", mpirun=["--mca", "mpi_yield_when_idle", "0"]
)


def all_coterie(program):
    return [*coterie(program), *coterie_polling(program)]


def never_slower(case, metric):
    return Target(
        "not slower than with polling off (5% for noise)",
        metric,
        ["coterie {loop} ring"],
        at_most=1.05,
        of=["coterie {loop} ring, polling off"],
        case=case.name,
    )


WORKLOAD = Workload(
    name="oversubscribed",
    title="More workers than CPUs",
    about=(
        "`apply` of a function that does nothing, and `map` of 100,000 tasks of 10 us, with two, "
        "four and eight workers, meant for two CPUs: a process that polls takes the CPU from a "
        "process that works."
    ),
    metrics=[
        Metric("median_seconds", "call", "us", 1e6, beside=BESIDE),
        Metric("p99_seconds", "99th percentile", "us", 1e6, plot=False),
        Metric("seconds", "map", "s", beside=BESIDE),
    ],
    cases=[*APPLY, *MAP],
    contenders=[
        *in_cases(all_coterie("latency/coterie"), APPLY),
        *in_cases(python("multiprocessing.Pool", program="latency/python_pools.py"), APPLY),
        *in_cases([open_mpi(program="latency/open_mpi"), NEVER_YIELDING], APPLY),
        *in_cases(all_coterie("grain/coterie"), MAP),
        *in_cases(python("multiprocessing.Pool", program="grain/python_pools.py"), MAP),
        *in_cases([open_mpi(program="grain/open_mpi", extra_ranks=0)], MAP),
    ],
    targets=[
        *(never_slower(case, "median_seconds") for case in APPLY),
        *(never_slower(case, "seconds") for case in MAP),
    ],
)
