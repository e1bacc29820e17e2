# SPDX-License-Identifier: BSL-1.0
"""The programs are those of `throughput`, with tasks that take their time."""
from runner.contenders import asio_thread_pool, coterie, open_mpi, python
from runner.model import Case, Metric, Target, Workload

WORKLOAD = Workload(
    name="stream",
    title="A stream of short tasks",
    about=(
        "`imap_unordered` of tasks of 10 us with `chunksize = 1`, two workers. Ideal: both are busy all the "
        "time."
    ),
    metrics=[
        Metric("efficiency", "of ideal", "%", 100, less_is_better=False, beside=["multiprocessing.Pool"]),
        Metric("parent_cpu_seconds_per_task", "parent's CPU a task", "us", 1e6, plot=False),
    ],
    cases=[Case("tasks of 10 us", {"tasks": 100_000, "task-ns": 10_000}, {"tasks": 3_000})],
    contenders=[
        *coterie("throughput/coterie"),
        *python(without=["joblib"], program="throughput/python_pools.py", tasks=20_000),
        open_mpi("Open MPI master/worker", program="throughput/open_mpi"),
        open_mpi("Open MPI master/worker, 4 ahead", program="throughput/open_mpi", in_flight=4),
        asio_thread_pool("throughput/asio_thread_pool"),
    ],
    targets=[
        Target("85% of ideal", "efficiency", ["coterie {loop} ring"], at_least=0.85),
    ],
)
