// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>

namespace coterie::detail {

/// What the ring links of a pool are like.
struct ring_settings {
  std::size_t capacity = 0;              // of each ring, a power of two; 0: no rings are wanted
  std::chrono::nanoseconds busy_poll{};  // how long each side looks for input before it sleeps
  int links = 1;                         // of the pool, which take turns in looking
};

}  // namespace coterie::detail
