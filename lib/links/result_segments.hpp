// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "channel/segments.hpp"
#include "system/shared_memory.hpp"

namespace coterie::detail {

/// The segments of one worker for results, as the parent sees them. Thread safety: none.
class result_segments {
 public:
  /// Makes memory for so many bytes as the segment `number`; it replaces what that was. No memory
  /// at all if it cannot be had. Throws `bad_frame` if the worker asks for what makes no sense.
  shared_memory& make(std::uint64_t number, std::uint64_t size);

  /// The payload that the worker says is there. Its bytes may change while they are read. Throws
  /// `bad_frame` if it cannot be there.
  [[nodiscard]] std::span<const std::byte> payload(const frame_header& header) const;

  /// Gives all up: calls `forget(number)` for each of them. The worker must not be using any.
  template <class Forget>
  void drop(Forget forget) {
    segment_number number = no_segment;
    for (shared_memory& each : all_) {
      ++number;
      if (each.bytes().empty()) continue;
      forget(number);
      each = {};
    }
  }

 private:
  std::array<shared_memory, result_segments_each> all_;
};

}  // namespace coterie::detail
