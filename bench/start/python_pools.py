# SPDX-License-Identifier: BSL-1.0
"""Pools of Python, from nothing to the first result and to nothing."""
import time

from support import contender, python_pools, tasks

if __name__ == "__main__":
    options = contender.arguments(__doc__, pools=50)
    first, whole = [], []
    for number in range(options.pools + 1):
        begin = time.perf_counter()
        with python_pools.make(options.pool, options.processes) as pool:
            result = pool.apply(tasks.identity, number)
            to_first = time.perf_counter() - begin
        to_end = time.perf_counter() - begin
        contender.expect(result == number, "apply")
        if number > 0:
            first.append(to_first)
            whole.append(to_end)
    contender.report(
        first_result_seconds=contender.quantile(first, 0.5),
        whole_seconds=contender.quantile(whole, 0.5),
    )
