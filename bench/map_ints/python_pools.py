# SPDX-License-Identifier: BSL-1.0
"""A map of small numbers in a pool of Python, chunks as the pool chooses."""
import time

from support import contender, python_pools, tasks

if __name__ == "__main__":
    options = contender.arguments(__doc__, items=1_000_000)
    numbers = list(range(options.items))
    with python_pools.make(options.pool, options.processes) as pool:
        pool.map(tasks.triple, numbers[: 1 + options.items // 10])
        begin = time.perf_counter()
        results = pool.map(tasks.triple, numbers)
        seconds = time.perf_counter() - begin
    contender.expect(results == [3 * number for number in numbers], "map")
    contender.report(seconds=seconds, items_per_second=options.items / seconds)
