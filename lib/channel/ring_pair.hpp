// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <span>

#include "channel/byte_ring.hpp"
#include "channel/claims.hpp"
#include "channel/open_results.hpp"

namespace coterie::detail {

/// What parent and worker share when their frames travel through memory: a ring each way, the
/// results that the worker has not sent yet, and which items it has claimed.
///
/// Their socket then carries no frames. From the offer on (see `link_offer`) each side sends a
/// `doorbell` when the other has to be woken: for bytes that it sleeps without, or for room.
class ring_pair {
 public:
  /// Of each ring, for a pool of so many workers. Long enough that a few of the largest automatic
  /// chunks fit, so that neither side often waits for room; but the rings of all workers together
  /// take no more than 64 MiB, unless there are thousands.
  static constexpr std::size_t capacity_for(int workers) {
    constexpr std::size_t together = std::size_t{64} << 20U;
    const std::size_t each = together / 2 / static_cast<std::size_t>(std::max(workers, 1));
    return std::clamp(std::bit_floor(each), least_capacity, most_capacity);
  }
  static constexpr std::size_t memory_for(std::size_t capacity) {
    return claims::memory_size + 2 * byte_ring::memory_for(capacity) +
           open_results::memory_for(open_size(capacity));
  }

  /// Precondition: `memory` has as many bytes as `memory_for(capacity)` says, and outlives it.
  ring_pair(std::span<std::byte> memory, std::size_t capacity)
      : claimed{memory.first(claims::memory_size)},
        to_worker{ring_in(memory, 0, capacity)},
        to_parent{ring_in(memory, 1, capacity)},
        results{memory.subspan(claims::memory_size + 2 * byte_ring::memory_for(capacity))} {}

  claims claimed;
  byte_ring to_worker;
  byte_ring to_parent;
  open_results results;

 private:
  static std::span<std::byte> ring_in(std::span<std::byte> memory, std::size_t which,
                                      std::size_t capacity) {
    const std::size_t size = byte_ring::memory_for(capacity);
    return memory.subspan(claims::memory_size + which * size, size);
  }
  // Enough that what is said once for all of them costs little beside them.
  static constexpr std::size_t open_size(std::size_t capacity) {
    return std::min(capacity, std::size_t{64} << 10U);
  }
  static constexpr std::size_t least_capacity = std::size_t{16} << 10U;
  static constexpr std::size_t most_capacity = std::size_t{256} << 10U;
};

}  // namespace coterie::detail
