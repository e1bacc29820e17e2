# SPDX-License-Identifier: BSL-1.0
from runner.contenders import (
    RAW_RING, SOCKET_PAIR, asio_thread_pool, coterie, coterie_polling, open_mpi, python,
)  # fmt: skip
from runner.model import Case, Metric, Target, Workload

WORKLOAD = Workload(
    name="latency",
    title="One call at a time",
    about="`apply` of a function that does nothing, one worker: the median of all calls of a run.",
    metrics=[
        Metric(
            "median_seconds", "call", "us", 1e6,
            beside=["limit: socket pair", "multiprocessing.Pool"],
        ),
        Metric("p99_seconds", "99th percentile", "us", 1e6, plot=False),
    ],
    cases=[Case("one worker", {"processes": 1, "calls": 20_000, "seconds": 2}, {"calls": 300})],
    contenders=[
        *coterie(),
        *coterie_polling(),
        *python(without=["joblib"]),  # which computes in the parent when there is one worker
        open_mpi(),
        asio_thread_pool(),
        SOCKET_PAIR,
        RAW_RING,
    ],
    targets=[
        Target(
            "asleep: at most 1.15 x a 64-byte round trip over a socket pair",
            "median_seconds",
            ["coterie {loop} ring, polling off", "coterie {loop} ring"],
            at_most=1.15,
            of=["limit: socket pair"],
        ),
        Target(
            "polling: at most 0.12 x the same",
            "median_seconds",
            ["coterie {loop} ring, polling"],
            at_most=0.12,
            of=["limit: socket pair"],
        ),
    ],
)  # fmt: skip
