# SPDX-License-Identifier: BSL-1.0
"""All contenders by name, for the workload.py files to choose from."""
from dataclasses import replace

from .model import LOOPS, Contender

RING = {"shared-memory": 1}
SOCKET = {"shared-memory": 0}


def coterie(program="coterie", links=("ring", "socket"), loops=LOOPS, suffix="", **options):
    """coterie on each event loop and link. Names: "coterie epoll ring", with the suffix if there is one."""
    return [
        Contender(
            name=f"coterie {loop} {link}{suffix}",
            group="coterie " + link,
            program=program,
            tree=loop,
            options={
                **(RING if link == "ring" else SOCKET),
                **{key.replace("_", "-"): value for key, value in options.items()},
            },
        )
        for loop in loops
        for link in links
    ]


def coterie_polling(program="coterie", microseconds=50):
    """The ring link with polling off, and with much of it. Left out while the pool cannot poll."""
    return [
        *coterie(program, links=["ring"], suffix=", polling off", busy_poll=0),
        *coterie(program, links=["ring"], suffix=", polling", busy_poll=microseconds),
    ]


PYTHON = {
    # name -> as support/python_pools.py calls it, module
    "multiprocessing.Pool": ("multiprocessing", "multiprocessing"),
    "ProcessPoolExecutor": ("executor", "concurrent.futures"),
    "loky": ("loky", "loky"),
    "joblib": ("joblib", "joblib"),
    "Pebble": ("pebble", "pebble"),
    "MPIRE": ("mpire", "mpire"),
    "Ray": ("ray", "ray"),
    "mpi4py": ("mpi4py", "mpi4py"),
}
STANDARD_PYTHON = ("multiprocessing.Pool", "ProcessPoolExecutor")


def python(*names, without=(), program="python_pools.py", **at_most):
    """Pools of Python: those named, or all. `at_most` bounds options of the case: most are slower."""
    return [
        Contender(
            name=name,
            group="Python",
            program=program,
            options={"pool": PYTHON[name][0]},
            at_most=at_most,
            ranks=(lambda workers: workers + 1) if name == "mpi4py" else None,
            module=PYTHON[name][1],
        )
        for name in names or PYTHON
        if name not in without
    ]


def open_mpi(name="Open MPI", extra_ranks=1, program="open_mpi", mpirun=(), **options):
    """Hand-written C++ over Open MPI; `extra_ranks` beyond the workers, 1 for a master."""
    return Contender(
        name=name,
        group="MPI",
        program=program,
        options={key.replace("_", "-"): value for key, value in options.items()},
        mpirun=mpirun,
        ranks=lambda workers: workers + extra_ranks,
    )


def asio_thread_pool(program="asio_thread_pool"):
    return Contender(name="asio::thread_pool", group="threads", program=program)


def tbb(program="tbb"):
    return Contender(name="TBB", group="threads", program=program)


def limit(what, program, takes_case=False, options=None):
    """What no pool can beat. Named "limit: WHAT"."""
    return Contender(
        name="limit: " + what,
        group="limit",
        program=program,
        takes_case=takes_case,
        options=options or {},
    )


def in_cases(contenders, cases):
    """The same contenders, in these cases only."""
    return [replace(each, cases=[case.name for case in cases]) for each in contenders]


SOCKET_PAIR = limit("socket pair", "limits/socket_round_trip")
RAW_RING = limit("ring, both awake", "limits/ring_round_trip")
