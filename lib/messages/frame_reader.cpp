// SPDX-License-Identifier: BSL-1.0
#include "messages/frame_reader.hpp"

#include <algorithm>
#include <cstring>
#include <string>

namespace coterie::detail {

namespace {

frame_header checked_header(const std::byte* at) {
  frame_header header;
  std::memcpy(&header, at, sizeof header);
  if (header.magic != frame_header::right_magic) {
    throw bad_frame{"a frame does not begin with the right mark"};
  }
  if (header.kind < message_kind::setup || header.kind > message_kind::result_taken) {
    throw bad_frame{"a frame is of an unknown kind"};
  }
  if (header.length > longest_payload) {
    throw bad_frame{"a frame claims " + std::to_string(header.length) + " bytes"};
  }
  return header;
}

}  // namespace

frame_reader::frame_reader() { buffer_.extend(usual_capacity); }

std::span<std::byte> frame_reader::space() {
  if (begin_ == end_) {
    begin_ = end_ = 0;
    // What one large message needed is given back; the usual size is kept for ever.
    if (wanted_ == 0 && buffer_.size() > usual_capacity) {
      buffer_ = byte_buffer{};
      buffer_.extend(usual_capacity);
    }
  }
  // Room is made as the bytes come, so that a frame which lies about its length does not get it.
  const std::size_t needed =
      wanted_ > unread() ? std::min(wanted_, unread() + most_ahead) : unread() + least_space;
  if (buffer_.size() - begin_ < needed || buffer_.size() == end_) make_room(needed);
  return {buffer_.data() + end_, buffer_.size() - end_};
}

void frame_reader::make_room(std::size_t total) {
  if (begin_ > 0) {
    // Frames begin at multiples of their alignment, so the move keeps them aligned.
    std::memmove(buffer_.data(), buffer_.data() + begin_, unread());
    end_ -= begin_;
    begin_ = 0;
  }
  if (buffer_.size() < total) buffer_.extend(total - buffer_.size());
}

std::optional<frame> frame_reader::next() {
  std::size_t position = 0;
  auto found = peek(position);
  wanted_ = 0;
  if (found) {
    begin_ += position;
  } else if (std::size_t whole = 0; peek_header(whole)) {
    wanted_ = whole;
  }
  return found;
}

std::optional<frame> frame_reader::peek(std::size_t& position) const {
  std::size_t behind = position;
  const auto header = peek_header(behind);
  if (!header || unread() < behind) return std::nullopt;
  const std::byte* const payload = buffer_.data() + begin_ + position + sizeof(frame_header);
  position = behind;
  if (header->segment != no_segment) return frame{*header, {}};
  return frame{*header, {payload, static_cast<std::size_t>(header->length)}};
}

std::optional<frame_header> frame_reader::peek_header(std::size_t& position) const {
  if (unread() < position + sizeof(frame_header)) return std::nullopt;
  const frame_header header = checked_header(buffer_.data() + begin_ + position);
  position += sizeof(frame_header) + bytes_behind(header);
  return header;
}

void frame_reader::hand_over_to(frame_reader& other) {
  const std::size_t count = unread();
  other.make_room(other.unread() + count);
  std::memcpy(other.buffer_.data() + other.end_, buffer_.data() + begin_, count);
  other.end_ += count;
  end_ = begin_;
  wanted_ = 0;
}

}  // namespace coterie::detail
