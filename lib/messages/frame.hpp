// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <stdexcept>
#include <type_traits>

#include <coterie/detail/byte_buffer.hpp>

#include "messages/message.hpp"

namespace coterie::detail {

inline constexpr std::uint32_t protocol_version = 1;

/// Names memory that carries one large payload; see `segments.hpp`.
using segment_number = std::uint16_t;
inline constexpr segment_number no_segment = 0;

/// The fixed part of a frame: one message, and where its payload is.
struct frame_header {
  static constexpr std::uint8_t right_magic = 0xc7;
  static constexpr std::uint16_t parent = 0xffff;

  std::uint8_t magic = right_magic;
  message_kind kind{};
  segment_number segment = no_segment;  // where the payload lies, if it does not follow
  std::uint16_t sender = parent;        // a rank, or the parent
  std::uint16_t receiver = parent;
  std::uint64_t length = 0;  // bytes of payload
  std::byte body[32] = {};   // the message

  /// The header of a frame that brings this message.
  template <class Message>
  [[nodiscard]] static frame_header of(const Message& what) noexcept {
    frame_header made;
    made.kind = Message::kind;
    made.put(what);
    return made;
  }
  /// Another message of the same kind. Precondition: it is of this kind.
  template <class Message>
  void put(const Message& what) noexcept {
    check<Message>();
    if constexpr (!std::is_empty_v<Message>) std::memcpy(body, &what, sizeof what);
  }
  /// The message. Precondition: it is of this kind.
  template <class Message>
  [[nodiscard]] Message as() const noexcept {
    check<Message>();
    Message found{};
    if constexpr (!std::is_empty_v<Message>) std::memcpy(&found, body, sizeof found);
    return found;
  }

 private:
  // What no receiver has to check: that a message fits, and that any bytes are one.
  template <class Message>
  static constexpr void check() {
    static_assert(std::is_trivially_copyable_v<Message> && sizeof(Message) <= sizeof body);
    static_assert(std::is_empty_v<Message> || std::has_unique_object_representations_v<Message>);
  }
};
static_assert(sizeof(frame_header) == 48);

/// Frames begin at multiples of this, so that a payload may be read in place.
inline constexpr std::size_t frame_alignment = 16;
static_assert(sizeof(frame_header) % frame_alignment == 0);

/// The longest payload that is believed: 64 GiB.
inline constexpr std::uint64_t longest_payload = std::uint64_t{64} << 30U;

constexpr std::size_t padded(std::size_t length) {
  return (length + frame_alignment - 1) / frame_alignment * frame_alignment;
}

/// How many bytes follow a header whose length was found possible.
inline std::size_t bytes_behind(const frame_header& header) {
  return header.segment == no_segment ? padded(static_cast<std::size_t>(header.length)) : 0;
}

/// A frame as received: the payload lies in the reader's buffer, or in a segment.
struct frame {
  frame_header header;
  std::span<const std::byte> payload;
};

/// A payload that several frames, or several tries of one, may share.
using shared_payload = std::shared_ptr<const byte_buffer>;

/// Bytes that cannot be a frame.
class bad_frame : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace coterie::detail
