# SPDX-License-Identifier: BSL-1.0
"""A map of tasks of 1 us to 1 ms in a pool of Python, chunks as the pool chooses."""
import time

from support import contender, python_pools, tasks

if __name__ == "__main__":
    options = contender.arguments(__doc__, tasks=20_000, longest_last=0)
    times = tasks.uneven_times(options.tasks, options.longest_last != 0)
    with python_pools.make(options.pool, options.processes) as pool:
        pool.map(tasks.spin, tasks.uneven_times(1 + options.tasks // 20, False))
        begin = time.perf_counter()
        results = pool.map(tasks.spin, times)
        seconds = time.perf_counter() - begin
    contender.expect(results == times, "map")
    contender.report(seconds=seconds, efficiency=1e-9 * sum(times) / options.processes / seconds)
