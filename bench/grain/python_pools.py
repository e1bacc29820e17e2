# SPDX-License-Identifier: BSL-1.0
"""A map of tasks of equal length in a pool of Python, chunks as the pool chooses."""
import functools
import time

from support import contender, python_pools, tasks

if __name__ == "__main__":
    options = contender.arguments(__doc__, tasks=100_000, task_ns=10_000)
    function = functools.partial(tasks.spin_and_return, options.task_ns)
    with python_pools.make(options.pool, options.processes) as pool:
        pool.map(function, range(1 + options.tasks // 20))
        begin = time.perf_counter()
        results = pool.map(function, range(options.tasks))
        seconds = time.perf_counter() - begin
    contender.expect(results == list(range(options.tasks)), "map")
    ideal = 1e-9 * options.task_ns * options.tasks / options.processes
    contender.report(seconds=seconds, efficiency=ideal / seconds)
