# SPDX-License-Identifier: BSL-1.0
from runner.contenders import coterie, limit, python
from runner.model import Case, Metric, Target, Workload

SPAWN = "limit: posix_spawn"

WORKLOAD = Workload(
    name="start",
    title="From nothing to a result, and to nothing",
    about=(
        "A pool of two: its construction until the first result is there, and until the destructor "
        "has returned. The limit is one `posix_spawn` of coterie's contender: to its first byte, and until "
        "it has been waited for."
    ),
    metrics=[
        Metric(
            "whole_seconds", "to the end", "ms", 1e3,
            beside=[(SPAWN, "first_result_seconds"), "ProcessPoolExecutor"],
        ),
        Metric(
            "first_result_seconds", "to the first result", "ms", 1e3,
            beside=[SPAWN, "ProcessPoolExecutor"],
        ),
    ],
    cases=[Case("two workers", {"pools": 50}, {"pools": 5})],
    contenders=[
        *coterie(),
        *python("multiprocessing.Pool", "ProcessPoolExecutor", pools=20),
        *python("loky", "Pebble", "MPIRE", pools=5),
        limit("posix_spawn", "start/spawn", takes_case=True, options={"program": "@start/coterie"}),
    ],
    targets=[
        Target(
            f"{what}: {text}",
            metric,
            ["coterie {loop} ring"],
            at_most=bound,
            of=[other],
            of_metric=of_metric or metric,
        )
        for metric, what in (("first_result_seconds", "first result"), ("whole_seconds", "to the end"))
        for text, bound, other, of_metric in (
            ("faster than ProcessPoolExecutor with fork", 1, "ProcessPoolExecutor", None),
            ("at most 3 x posix_spawn to the first byte", 3, SPAWN, "first_result_seconds"),
        )
    ],
)  # fmt: skip
