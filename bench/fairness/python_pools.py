# SPDX-License-Identifier: BSL-1.0
"""Single calls during a long map in a pool of Python."""
import functools
import threading
import time

from support import contender, python_pools, tasks

if __name__ == "__main__":
    options = contender.arguments(
        __doc__, tasks=200_000, task_ns=100_000, chunksize=20, chunk_ns=2_000_000, every_ms=5
    )
    # The pools' own choice would be chunks of many seconds: so they are told.
    chunksize = options.chunksize or options.chunk_ns // options.task_ns
    waits = []
    results = []
    calls = 0
    with python_pools.make(options.pool, options.processes) as pool:
        pool.map(tasks.identity, range(1000))

        def whole_map():
            function = functools.partial(tasks.spin_and_return, options.task_ns)
            results.extend(pool.map(function, range(options.tasks), chunksize))

        def call():
            begin = time.perf_counter()
            pool.submit(tasks.identity, 0, lambda: waits.append(time.perf_counter() - begin))

        begin = next_call = time.perf_counter()
        mapping = threading.Thread(target=whole_map)
        mapping.start()
        while mapping.is_alive():
            call()
            calls += 1
            next_call += options.every_ms / 1000
            time.sleep(max(0.0, next_call - time.perf_counter()))
        seconds = time.perf_counter() - begin
        while len(waits) < calls:
            time.sleep(0.001)
    contender.expect(results == list(range(options.tasks)), "map")
    p99 = contender.quantile(waits, 0.99)
    contender.report(
        median_wait_seconds=contender.quantile(waits, 0.5),
        p99_wait_seconds=p99,
        longest_wait_seconds=max(waits),
        p99_wait_in_chunks=1e9 * p99 / options.chunk_ns,
        map_efficiency=1e-9 * options.task_ns * options.tasks / options.processes / seconds,
        calls=calls,
    )
