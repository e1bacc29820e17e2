// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <span>

namespace coterie::detail {

/// Where the bytes of large buffers may lie instead of on the heap: in memory that another process
/// sees, so that they need not be copied to it.
class buffer_memory {
 public:
  buffer_memory() = default;
  buffer_memory(const buffer_memory&) = delete;
  buffer_memory& operator=(const buffer_memory&) = delete;
  virtual ~buffer_memory() = default;

  /// Memory for at least `wanted` bytes, aligned as a buffer's; empty if that is too little to be
  /// worth while, or if there is none.
  virtual std::span<std::byte> take(std::size_t wanted) noexcept = 0;
  /// Revokes what `take` has given.
  virtual void give_back(std::span<std::byte> taken) noexcept = 0;
};

}  // namespace coterie::detail
