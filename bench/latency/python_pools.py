# SPDX-License-Identifier: BSL-1.0
"""The time of one call in a pool of Python."""
import time

from support import contender, python_pools, tasks

if __name__ == "__main__":
    options = contender.arguments(__doc__, calls=20_000, seconds=2)
    times = []
    with python_pools.make(options.pool, options.processes) as pool:
        for call in range(1 + options.calls // 20):
            pool.apply(tasks.identity, call)
            if call == 0:
                end_of_warm_up = time.perf_counter() + 0.1 * options.seconds
            elif time.perf_counter() > end_of_warm_up:
                break
        end = time.perf_counter() + options.seconds
        while len(times) < options.calls and (len(times) < 10 or time.perf_counter() < end):
            begin = time.perf_counter()
            result = pool.apply(tasks.identity, len(times))
            took = time.perf_counter() - begin
            contender.expect(result == len(times), "apply")
            times.append(took)
    contender.report(
        median_seconds=contender.quantile(times, 0.5),
        p99_seconds=contender.quantile(times, 0.99),
        calls=len(times),
    )
