# SPDX-License-Identifier: BSL-1.0
"""Large arrays out of the workers of a pool of Python."""
import functools
import time

from support import contender, python_pools, tasks

if __name__ == "__main__":
    options = contender.arguments(__doc__, arrays=16, mebibytes=64)
    function = functools.partial(tasks.stamped_array, options.mebibytes)
    numbers = list(range(options.arrays))
    with python_pools.make(options.pool, options.processes) as pool:
        pool.map(function, numbers, 1)
        begin = time.perf_counter()
        results = pool.map(function, numbers, 1)
        seconds = time.perf_counter() - begin
    array = tasks.make_array(0, options.mebibytes)
    contender.expect(results == [(number, array) for number in numbers], "the arrays")
    contender.report(
        seconds=seconds,
        bytes_per_second=options.arrays * options.mebibytes * 2**20 / seconds,
    )
