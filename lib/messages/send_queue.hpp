// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <deque>
#include <span>

#include <coterie/detail/byte_buffer.hpp>

#include "messages/frame.hpp"

namespace coterie::detail {

/// Frames on their way out, as the pieces of memory that a gathering write takes.
///
/// Small frames are copied together, so that many of them leave in one piece; a large payload is
/// left where it is and sent from there.
class send_queue {
 public:
  /// Payloads up to this size are copied.
  static constexpr std::size_t copied_up_to = std::size_t{16} << 10U;

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  /// Bytes that wait.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// Adds a frame; `header.length` is set to the payload's size.
  void push(frame_header header, std::span<const std::byte> payload);
  void push(frame_header header, const shared_payload& payload);
  /// Adds a frame whose payload does not follow: it lies in a segment, or there is none.
  void push(const frame_header& header);

  /// The first pieces, as many as fit.
  std::span<const iovec> pieces();
  /// Tells that the first `count` bytes have left.
  void sent(std::size_t count);

 private:
  struct segment {
    byte_buffer copied;     // when `shared` is empty
    shared_payload shared;  // sent from where it lies
    [[nodiscard]] std::span<const std::byte> view() const {
      return shared ? shared->view() : copied.view();
    }
  };

  byte_buffer& tail();

  std::deque<segment> segments_;
  byte_buffer spare_;       // memory of a sent segment, kept for the next
  std::size_t offset_ = 0;  // bytes of the first segment that have left
  std::size_t size_ = 0;
  std::array<iovec, 32> pieces_{};
};

}  // namespace coterie::detail
