# SPDX-License-Identifier: BSL-1.0
from runner.contenders import coterie, limit, open_mpi, python
from runner.model import Case, Metric, Target, Workload

WORKLOAD = Workload(
    name="big_out",
    title="Large results",
    about=(
        "`map` to 16 arrays of 64 MiB, two workers. The workers have the arrays; in the parent each result "
        "is new memory, as it is for MPI when cold."
    ),
    metrics=[
        Metric(
            "bytes_per_second", "arrays", "GB/s", 1e-9, less_is_better=False,
            beside=["limit: memcpy into fresh pages", "multiprocessing.Pool", "Open MPI, cold"],
        ),
    ],
    cases=[
        Case("16 arrays of 64 MiB", {"arrays": 16, "mebibytes": 64}, {"arrays": 4, "mebibytes": 4}),
    ],
    contenders=[
        *coterie(),
        *python(),
        open_mpi("Open MPI, cold", warm=0),
        open_mpi("Open MPI, into warm memory", warm=1),
        limit("memcpy into fresh pages", "limits/copy", takes_case=True, options={"fresh": 1}),
        limit("memcpy, warm", "limits/copy", takes_case=True),
    ],
    targets=[
        Target(
            "80% of memcpy into fresh pages",
            "bytes_per_second",
            ["coterie {loop} ring"],
            at_least=0.8,
            of=["limit: memcpy into fresh pages"],
        ),
        Target(
            "ahead of MPI, cold",
            "bytes_per_second",
            ["coterie {loop} ring"],
            at_least=1,
            of=["Open MPI, cold"],
        ),
    ],
)  # fmt: skip
