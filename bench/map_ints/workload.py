# SPDX-License-Identifier: BSL-1.0
from runner.contenders import coterie, limit, open_mpi, python, tbb
from runner.model import Case, Metric, Target, Workload

WORKLOAD = Workload(
    name="map_ints",
    title="A million small numbers",
    about=(
        "`map` of a function that triples, over 1,000,000 `int64_t`, two workers. MPI runs with "
        "three ranks, as many processes as coterie has, and with two, as many as compute. The "
        "limit is the least that a parent of processes does, if the workers take no time: it "
        "copies the items, and the results."
    ),
    metrics=[
        Metric(
            "items_per_second", "items", "million/s", 1e-6, less_is_better=False,
            beside=["multiprocessing.Pool", "Open MPI scatter/gather, 3 ranks", "limit: two copies"],
        ),
    ],
    cases=[Case("two workers", {"items": 1_000_000}, {"items": 50_000})],
    contenders=[
        *coterie(),
        *python(without=["joblib", "Ray"]),
        *python("joblib", "Ray", items=100_000),
        open_mpi("Open MPI scatter/gather, 3 ranks"),
        open_mpi("Open MPI scatter/gather, 2 ranks", extra_ranks=0),
        tbb(),
        limit("two copies", "limits/there_and_back", takes_case=True),
    ],
    targets=[
        Target(
            "60 x multiprocessing.Pool",
            "items_per_second",
            ["coterie {loop} ring"],
            at_least=60,
            of=["multiprocessing.Pool"],
        ),
        Target(
            "faster than scatter, compute and gather over Open MPI",
            "items_per_second",
            ["coterie {loop} ring"],
            at_least=1,
            of=["Open MPI scatter/gather, 3 ranks", "Open MPI scatter/gather, 2 ranks"],
        ),
    ],
)  # fmt: skip
