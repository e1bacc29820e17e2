// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

/// Microseconds for one message of `size` bytes to a child process and back over a Unix socket
/// pair, both ends blocking: the least that any pool over sockets can need for a call. The median
/// of `repetitions` round trips.
double raw_round_trip(std::size_t size, int repetitions);
