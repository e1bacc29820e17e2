# SPDX-License-Identifier: BSL-1.0
from runner.contenders import SOCKET_PAIR, asio_thread_pool, coterie, open_mpi, python
from runner.model import Case, Metric, Target, Workload

WORKLOAD = Workload(
    name="throughput",
    title="A million tasks that do nothing",
    about=(
        "`imap_unordered` with `chunksize = 1`, two workers. The pools of Python get fewer tasks, "
        "because they take long; all figures are rates."
    ),
    metrics=[
        Metric(
            "tasks_per_second", "tasks", "1000/s", 1e-3, less_is_better=False,
            beside=["multiprocessing.Pool", "Open MPI master/worker"],
        ),
        Metric(
            "parent_cpu_seconds_per_task", "parent's CPU a task", "us", 1e6,
            beside=[("limit: socket pair", "median_seconds")],
        ),
        Metric("median_seconds", "round trip", "us", 1e6, plot=False),
    ],
    cases=[Case("two workers", {"tasks": 1_000_000}, {"tasks": 5_000})],
    contenders=[
        *coterie(),
        *python(without=["joblib"], tasks=20_000),
        open_mpi("Open MPI master/worker"),
        open_mpi("Open MPI master/worker, 8 ahead", in_flight=8),
        asio_thread_pool(),
        SOCKET_PAIR,
    ],
    targets=[
        Target(
            "the parent's CPU a task at most 0.06 x a round trip over a socket pair",
            "parent_cpu_seconds_per_task",
            ["coterie {loop} ring"],
            at_most=0.06,
            of=["limit: socket pair"],
            of_metric="median_seconds",
        ),
        Target(
            "30 x multiprocessing.Pool",
            "tasks_per_second",
            ["coterie {loop} ring"],
            at_least=30,
            of=["multiprocessing.Pool"],
        ),
        Target(
            "4 x a master and workers over Open MPI",
            "tasks_per_second",
            ["coterie {loop} ring"],
            at_least=4,
            of=["Open MPI master/worker"],
        ),
    ],
)  # fmt: skip
