# SPDX-License-Identifier: BSL-1.0
from runner.contenders import STANDARD_PYTHON, asio_thread_pool, coterie, limit, python
from runner.model import Case, Metric, Target, Workload

# Ten seconds of work. A chunk takes 1.5 ms, by its size or because coterie's automatic ones aim at
# that.
WORK = {"tasks": 100_000, "task-ns": 100_000, "chunk-ns": 1_500_000, "every-ms": 5}

ONE_WAKE_UP = limit("one wake-up", "limits/wake_up", options={"chunk-ns": WORK["chunk-ns"]})

WORKLOAD = Workload(
    name="fairness",
    title="Short calls beside a long map",
    about=(
        "`apply` every 5 ms during a `map` of ten seconds of work, two workers: how long the calls wait. A "
        "call is made whether or not the last one has been answered. The pools of Python are told a chunk "
        "size: with their own choice a chunk would take a second. The limit is one wake-up beside two busy "
        "processes; a call takes three at least."
    ),
    metrics=[
        Metric("p99_wait_seconds", "wait, 99th percentile", "ms", 1e3, beside=["multiprocessing.Pool"]),
        Metric("p99_wait_in_chunks", "in chunks of 1.5 ms", "", plot=False),
        Metric("median_wait_seconds", "wait, median", "ms", 1e3, plot=False),
        Metric("longest_wait_seconds", "longest wait", "ms", 1e3, plot=False),
        Metric("map_efficiency", "map, of ideal", "%", 100, less_is_better=False),
    ],
    cases=[
        Case("automatic chunks", {**WORK, "chunksize": 0}, {"tasks": 5_000}),
        Case("chunks of 15", {**WORK, "chunksize": 15}, {"tasks": 5_000}),
    ],
    contenders=[*coterie(), *python(*STANDARD_PYTHON), asio_thread_pool(), ONE_WAKE_UP],
    targets=[
        Target(
            "99 of 100 wait for at most one chunk",
            "p99_wait_in_chunks",
            ["coterie {loop} ring"],
            at_most=1,
        ),
    ],
)
