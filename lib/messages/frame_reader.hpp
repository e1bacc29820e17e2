// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include <coterie/detail/byte_buffer.hpp>

#include "messages/frame.hpp"

namespace coterie::detail {

/// Cuts a stream of bytes into frames, believing none of them before it has looked.
///
/// Used as: read into `space()`, say `received(n)`, then take frames with `next()` until it is
/// empty. A frame's payload is valid until the next call of `space`; one in a segment is left to
/// the code that knows the segments.
class frame_reader {
 public:
  frame_reader();

  /// Where the next bytes go; never empty. Large enough for the rest of a frame that has begun, or
  /// for the next 16 MiB of it: memory is taken for what has come, not for what is announced.
  std::span<std::byte> space();
  void received(std::size_t count) noexcept { end_ += count; }

  /// The next whole frame, if there is one. Throws `bad_frame`.
  std::optional<frame> next();

  /// Whether bytes of an unfinished frame are left.
  [[nodiscard]] bool in_the_middle() const noexcept { return begin_ != end_; }

  /// Moves what has not been taken yet behind the bytes of `other`, which must be at rest.
  void hand_over_to(frame_reader& other);

  /// The next whole frame after `position` bytes of what has not been taken, without taking it;
  /// moves `position` behind it.
  std::optional<frame> peek(std::size_t& position) const;
  /// The header of the same frame, which need not be whole. `position` may then be behind the last
  /// byte.
  std::optional<frame_header> peek_header(std::size_t& position) const;

 private:
  static constexpr std::size_t usual_capacity = std::size_t{256} << 10U;
  static constexpr std::size_t least_space = std::size_t{64} << 10U;
  static constexpr std::size_t most_ahead = std::size_t{16} << 20U;

  [[nodiscard]] std::size_t unread() const noexcept { return end_ - begin_; }
  void make_room(std::size_t total);

  byte_buffer buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t wanted_ = 0;  // size of the frame at `begin_`, once its header is known
};

}  // namespace coterie::detail
