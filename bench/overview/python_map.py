# SPDX-License-Identifier: BSL-1.0
"""Items per second of multiprocessing.Pool.map, as one number: processes, items, runs are given."""
import multiprocessing
import statistics
import sys
import time


def triple(number):
    return 3 * number


if __name__ == "__main__":
    processes, count, runs = (int(argument) for argument in sys.argv[1:4])
    numbers = list(range(count))
    expected = [3 * number for number in numbers]
    with multiprocessing.Pool(processes) as pool:
        pool.map(triple, range(1000))
        rates = []
        for _ in range(runs):
            begin = time.perf_counter()
            result = pool.map(triple, numbers)
            rates.append(count / (time.perf_counter() - begin))
            if result != expected:
                sys.exit("wrong result")
    print(statistics.median(rates))
