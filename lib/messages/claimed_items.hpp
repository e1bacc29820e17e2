// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace coterie::detail {

/// The end of the unit, of `unit` items each, that begins before the item `index`.
constexpr std::size_t end_of_unit(std::size_t index, std::size_t unit) noexcept {
  return (index + unit - 1) / unit * unit;
}

/// What a worker says of the items that it has claimed. Items of chunks that were sent before
/// `chunk` are claimed or revoked; those of chunks that were sent behind it are not claimed.
struct claimed_items {
  /// More than can be told: all items of the chunk count as claimed.
  static constexpr std::size_t all = std::numeric_limits<std::size_t>::max();

  std::uint64_t chunk = 0;  // that was begun last: its number among those that the worker was sent,
                            // from 1; 0: none was begun
  std::size_t items = 0;    // of that chunk, those before this one

  bool operator==(const claimed_items&) const = default;
};

}  // namespace coterie::detail
