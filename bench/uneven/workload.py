# SPDX-License-Identifier: BSL-1.0
from runner.contenders import asio_thread_pool, coterie, open_mpi, python, tbb
from runner.model import Case, Metric, Target, Workload

SWEEP = (1, 4, 16, 64, 256)

WORKLOAD = Workload(
    name="uneven",
    title="Tasks of 1 us to 1 ms",
    about=(
        "`map` of tasks of very different lengths, two workers, chunks as each contender chooses, "
        "and for coterie a sweep of fixed sizes. In ascending order the longest tasks come last, "
        "when they are hardest to share out."
    ),
    metrics=[
        Metric(
            "efficiency", "of ideal", "%", 100, less_is_better=False,
            beside=["asio::thread_pool", "multiprocessing.Pool"],
        ),
        Metric("seconds", "time", "s", plot=False),
    ],
    cases=[
        Case("any order", {"tasks": 20_000, "longest-last": 0}, {"tasks": 500}),
        Case("longest last", {"tasks": 20_000, "longest-last": 1}, {"tasks": 500}),
    ],
    contenders=[
        *coterie(),
        *(
            contender
            for size in SWEEP
            for contender in coterie(links=["ring"], suffix=f", chunksize {size}", chunksize=size)
        ),
        *python(),
        open_mpi("Open MPI master/worker"),
        asio_thread_pool(),
        tbb(),
    ],
    targets=[
        Target(
            "within 10% of the best fixed chunk size",
            "seconds",
            ["coterie {loop} ring"],
            at_most=1.1,
            of=[f"coterie {{loop}} ring, chunksize {size}" for size in SWEEP],
        ),
    ],
)  # fmt: skip
