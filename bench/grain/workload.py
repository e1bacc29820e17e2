# SPDX-License-Identifier: BSL-1.0
from runner.contenders import asio_thread_pool, coterie, open_mpi, python, tbb
from runner.model import Case, Metric, Target, Workload

SIZES = {"1 us": 1_000, "10 us": 10_000, "100 us": 100_000, "1 ms": 1_000_000}


def case(name, task_ns):
    """A second of ideal time for two workers."""
    tasks = 2_000_000_000 // task_ns
    return Case(f"tasks of {name}", {"tasks": tasks, "task-ns": task_ns}, {"tasks": tasks // 100})


WORKLOAD = Workload(
    name="grain",
    title="Tasks of equal length",
    about=(
        "`map` of tasks of 1 us to 1 ms, two workers, chunks as each contender chooses. Ideal: the total "
        "work, shared by two."
    ),
    metrics=[
        Metric(
            "efficiency", "of ideal", "%", 100, less_is_better=False,
            beside=["asio::thread_pool", "multiprocessing.Pool"],
        ),
    ],
    cases=[case(*size) for size in SIZES.items()],
    contenders=[
        *coterie(),
        *python(tasks=200_000),
        open_mpi("Open MPI scatter/gather", extra_ranks=0),
        asio_thread_pool(),
        tbb(),
    ],
    targets=[
        *(
            Target(
                f"{part:.0%} of ideal",
                "efficiency",
                ["coterie {loop} ring"],
                at_least=part,
                case=f"tasks of {name}",
            )
            for name, part in (("1 us", 0.85), ("10 us", 0.95), ("100 us", 0.95), ("1 ms", 0.95))
        ),
        Target(
            "level with asio::thread_pool within 5%",
            "efficiency",
            ["coterie {loop} ring"],
            at_least=0.95,
            of=["asio::thread_pool"],
            case="tasks of 10 us",
        ),
    ],
)  # fmt: skip
