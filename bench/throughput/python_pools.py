# SPDX-License-Identifier: BSL-1.0
"""Many short tasks in a pool of Python, each a message of its own."""
import functools
import time

from support import contender, python_pools, tasks


def run(pool, function, count):
    contender.expect(sum(pool.stream(function, range(count))) == count * (count - 1) // 2, "the sum")


if __name__ == "__main__":
    options = contender.arguments(__doc__, tasks=50_000, task_ns=0)
    function = tasks.identity
    if options.task_ns > 0:
        function = functools.partial(tasks.spin_and_return, options.task_ns)
    with python_pools.make(options.pool, options.processes) as pool:
        run(pool, function, 1 + options.tasks // 20)
        cpu_before = contender.cpu_seconds()
        begin = time.perf_counter()
        run(pool, function, options.tasks)
        seconds = time.perf_counter() - begin
        cpu = contender.cpu_seconds() - cpu_before
    ideal = 1e-9 * options.task_ns * options.tasks / options.processes
    contender.report(
        seconds=seconds,
        tasks_per_second=options.tasks / seconds,
        parent_cpu_seconds_per_task=cpu / options.tasks,
        efficiency=ideal / seconds,
    )
