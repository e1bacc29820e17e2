// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <utility>

#include <coterie/detail/buffer_memory.hpp>

#include "channel/segments.hpp"
#include "system/shared_memory.hpp"

namespace coterie::detail {

/// The segments of a link at the worker's end. Those for results are also a `buffer_memory`, into
/// which the worker encodes them. Thread safety: none.
///
/// Functions with a frame of the parent's throw `bad_frame` if it makes no sense.
class worker_segments final : public buffer_memory {
 public:
  /// Handles what the parent says of a segment, unless that was handled before. Calls
  /// `take_descriptor` if memory comes with it.
  template <class TakeDescriptor>
  void take(const frame_header& told, TakeDescriptor take_descriptor) {
    // The messages of segments are alike.
    const auto what = told.as<message::result_segment>();
    if (what.announcement <= last_) return;
    last_ = what.announcement;
    if (told.kind == message_kind::result_taken) return taken(what.segment);
    unique_descriptor descriptor = what.size > 0 ? take_descriptor() : unique_descriptor{};
    if (told.kind == message_kind::argument_segment) {
      place_argument(what.segment, static_cast<std::size_t>(what.size), std::move(descriptor));
    } else {
      place_result(what.segment, static_cast<std::size_t>(what.size), std::move(descriptor));
    }
  }

  /// The argument, in its segment. If the segment could not be mapped, throws why.
  [[nodiscard]] std::span<const std::byte> argument(const frame_header& header) const;

  // buffer_memory
  std::span<std::byte> take(std::size_t wanted) noexcept override;
  void give_back(std::span<std::byte> taken) noexcept override;

  /// The segment in which these bytes of this memory lie. From now on it is the parent's.
  segment_number send(std::span<const std::byte> bytes);

  /// Whether all segments for results are being written, or are the parent's.
  [[nodiscard]] bool none_free() const noexcept {
    return smallest_free(results_, 0, is_free) == nullptr;
  }
  /// Gives up the memory of a free segment for results, and returns which. The parent is to be
  /// asked for more memory. Precondition: not `none_free`.
  segment_number give_up_one();
  /// Whether the parent has not answered yet.
  [[nodiscard]] bool asked_for(segment_number number) const {
    return results_.at(number - 1U).asked;
  }

 private:
  struct argument_segment {
    shared_memory memory;
    std::exception_ptr problem;
  };
  enum class use { none, being_written, sent };
  struct result_segment {
    shared_memory memory;
    use used_for = use::none;
    bool asked = false;
  };

  static bool is_free(const result_segment& each) noexcept { return each.used_for == use::none; }
  [[nodiscard]] result_segment& holding(std::span<const std::byte> bytes) noexcept;
  void taken(std::uint64_t number);
  void place_argument(std::uint64_t number, std::size_t size, unique_descriptor descriptor);
  void place_result(std::uint64_t number, std::size_t size, unique_descriptor descriptor);

  std::uint64_t last_ = 0;
  std::array<argument_segment, argument_segments_each> arguments_;
  std::array<result_segment, result_segments_each> results_;
};

}  // namespace coterie::detail
