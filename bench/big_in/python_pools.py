# SPDX-License-Identifier: BSL-1.0
"""Large arrays into the workers of a pool of Python, a number back."""
import time

from support import contender, python_pools, tasks

if __name__ == "__main__":
    options = contender.arguments(__doc__, arrays=16, mebibytes=64)
    inputs = [tasks.make_array(seed, options.mebibytes) for seed in range(options.arrays)]
    with python_pools.make(options.pool, options.processes) as pool:
        whole = pool.map(sum, inputs[: options.processes], 1)
        contender.expect(whole == [sum(array) for array in inputs[: options.processes]], "the sums")
        begin = time.perf_counter()
        sums = pool.map(tasks.sum_of_pages, inputs, 1)
        seconds = time.perf_counter() - begin
    contender.expect(sums == [tasks.sum_of_pages(array) for array in inputs], "the sums of pages")
    contender.report(
        seconds=seconds,
        bytes_per_second=options.arrays * options.mebibytes * 2**20 / seconds,
    )
