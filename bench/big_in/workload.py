# SPDX-License-Identifier: BSL-1.0
from runner.contenders import coterie, limit, open_mpi, python
from runner.model import Case, Metric, Target, Workload

WORKLOAD = Workload(
    name="big_in",
    title="Large arguments",
    about=(
        "`map` over 16 arrays of 64 MiB, two workers, a number back. The function reads one "
        "number of each page, so that only the way of the array counts."
    ),
    metrics=[
        Metric(
            "bytes_per_second", "arrays", "GB/s", 1e-9, less_is_better=False,
            beside=["limit: memcpy, warm", "multiprocessing.Pool", "Open MPI"],
        ),
    ],
    cases=[
        Case("16 arrays of 64 MiB", {"arrays": 16, "mebibytes": 64}, {"arrays": 4, "mebibytes": 4}),
    ],
    contenders=[
        *coterie(),
        *python(),
        open_mpi(),
        limit("memcpy, warm", "limits/copy", takes_case=True),
    ],
    targets=[
        Target(
            "60% of memcpy between warm buffers",
            "bytes_per_second",
            ["coterie {loop} ring"],
            at_least=0.6,
            of=["limit: memcpy, warm"],
        ),
        Target(
            "ahead of MPI_Send",
            "bytes_per_second",
            ["coterie {loop} ring"],
            at_least=1,
            of=["Open MPI"],
        ),
    ],
)  # fmt: skip
