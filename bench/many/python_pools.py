# SPDX-License-Identifier: BSL-1.0
"""Many workers of a pool of Python, and tasks that sleep."""
import functools
import multiprocessing
import time

from support import contender, python_pools, tasks


def tell(ready):
    """A worker is ready when it has run this."""
    ready.release()


if __name__ == "__main__":
    options = contender.arguments(__doc__, tasks=5_120, sleep_ms=50)
    ready = multiprocessing.Semaphore(0)
    begin = time.perf_counter()
    pool = python_pools.make(options.pool, options.processes, initializer=tell, initargs=(ready,))
    with pool:
        if options.pool == "executor":
            # It starts workers only when there are tasks for them.
            early = [pool.pool.submit(tasks.sleep_and_return, 50, 0) for _ in range(options.processes)]
        for _ in range(options.processes):
            ready.acquire()
        start_seconds = time.perf_counter() - begin

        pool.map(functools.partial(tasks.sleep_and_return, 1), range(options.processes), 1)
        cpu_before = contender.cpu_seconds()
        begin = time.perf_counter()
        function = functools.partial(tasks.sleep_and_return, options.sleep_ms)
        results = pool.map(function, range(options.tasks), 1)
        seconds = time.perf_counter() - begin
        cpu = contender.cpu_seconds() - cpu_before
        contender.expect(results == list(range(options.tasks)), "map")
        begin = time.perf_counter()
    stop_seconds = time.perf_counter() - begin
    rounds = -(-options.tasks // options.processes)
    contender.report(
        seconds=seconds,
        beside_ideal=seconds / (options.sleep_ms / 1000 * rounds),
        parent_cpu_seconds_per_task=cpu / options.tasks,
        start_seconds=start_seconds,
        stop_seconds=stop_seconds,
    )
