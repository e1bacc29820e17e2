// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include <coterie/detail/buffer_memory.hpp>

#include "channel/segments.hpp"
#include "system/shared_memory.hpp"

namespace coterie::detail {

/// The segments of one worker for arguments, as memory that the parent encodes them into.
///
/// Shared by the link and the buffers whose bytes lie in it, which may live longer than the link:
/// what a worker that died has not begun goes to another. Thread safety: none.
class argument_segments final : public buffer_memory {
 public:
  struct segment {
    shared_memory memory;
    bool taken = false;
    bool known = false;  // to the worker
  };

  // buffer_memory
  std::span<std::byte> take(std::size_t wanted) noexcept override;
  void give_back(std::span<std::byte> taken) noexcept override;

  /// Where a buffer of this memory lies.
  [[nodiscard]] segment_number number_of(std::span<const std::byte> bytes) const noexcept;
  [[nodiscard]] segment& at(segment_number number) { return all_.at(number - 1U); }

  /// Gives up those that are not used: calls `forget(number)` for each of them that the worker
  /// knows.
  template <class Forget>
  void drop_unused(Forget forget) {
    segment_number number = no_segment;
    for (segment& each : all_) {
      ++number;
      if (each.taken || each.memory.bytes().empty()) continue;
      if (each.known) forget(number);
      each = {};
    }
  }

 private:
  std::array<segment, argument_segments_each> all_;
};

}  // namespace coterie::detail
