# SPDX-License-Identifier: BSL-1.0
"""The tasks, in a module of their own: every kind of pool finds them, however it starts its workers."""
import time


def identity(number):
    return number


def triple(number):
    return 3 * number


def spin_and_return(nanoseconds, number):
    """Works, rather than waits, until so many nanoseconds have passed."""
    end = time.perf_counter_ns() + nanoseconds
    while time.perf_counter_ns() < end:
        pass
    return number


def spin(nanoseconds):
    return spin_and_return(nanoseconds, nanoseconds)


def sleep_and_return(milliseconds, number):
    time.sleep(milliseconds / 1000)
    return number


def uneven_times(count, longest_last):
    """Task times in nanoseconds, from 1 us to 1 ms: those of support/uneven_times.hpp."""
    times = []
    state = 1
    for _ in range(count):
        state = (state * 1_664_525 + 1_013_904_223) % 2**32
        times.append(round(1000 * 1000 ** (state / 2**32)))
    return sorted(times) if longest_last else times


def make_array(seed, mebibytes):
    """Bytes, which is what Python moves fastest."""
    return bytes((seed + place) % 256 for place in range(4096)) * (mebibytes * 256)


def sum_of_pages(array):
    """One byte a page: what is measured is how the array came here."""
    return len(array) + sum(array[::4096])


_arrays = {}


def stamped_array(mebibytes, number):
    """An array that the worker has already, and which of them it is."""
    if mebibytes not in _arrays:
        _arrays[mebibytes] = make_array(0, mebibytes)
    return number, _arrays[mebibytes]
