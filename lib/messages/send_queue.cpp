// SPDX-License-Identifier: BSL-1.0
#include "messages/send_queue.hpp"

#include <cstring>
#include <utility>

namespace coterie::detail {

namespace {

// A segment that has grown this long is left alone, so that appending never moves much memory.
constexpr std::size_t long_segment = std::size_t{256} << 10U;

void append_padding(byte_buffer& to, std::size_t length) {
  const std::size_t missing = padded(length) - length;
  if (missing > 0) std::memset(to.extend(missing), 0, missing);
}

}  // namespace

byte_buffer& send_queue::tail() {
  if (segments_.empty() || segments_.back().shared ||
      segments_.back().copied.size() > long_segment) {
    segments_.emplace_back();
    segments_.back().copied = std::exchange(spare_, byte_buffer{});
    segments_.back().copied.clear();
  }
  return segments_.back().copied;
}

void send_queue::push(frame_header header, std::span<const std::byte> payload) {
  header.length = payload.size();
  byte_buffer& to = tail();
  to.append(&header, sizeof header);
  if (!payload.empty()) to.append(payload.data(), payload.size());
  append_padding(to, payload.size());
  size_ += sizeof header + padded(payload.size());
}

void send_queue::push(frame_header header, const shared_payload& payload) {
  const std::size_t length = payload ? payload->size() : 0;
  if (length <= copied_up_to) {
    push(header, payload ? payload->view() : std::span<const std::byte>{});
    return;
  }
  header.length = length;
  tail().append(&header, sizeof header);
  segments_.emplace_back();
  segments_.back().shared = payload;
  append_padding(tail(), length);
  size_ += sizeof header + padded(length);
}

void send_queue::push(const frame_header& header) {
  tail().append(&header, sizeof header);
  size_ += sizeof header;
}

std::span<const iovec> send_queue::pieces() {
  std::size_t count = 0;
  std::size_t skip = offset_;
  for (const segment& each : segments_) {
    if (count == pieces_.size()) break;
    const auto bytes = each.view().subspan(skip);
    skip = 0;
    if (bytes.empty()) continue;
    // iovec has no const: the bytes are only read.
    pieces_[count++] = {const_cast<std::byte*>(bytes.data()), bytes.size()};
  }
  return {pieces_.data(), count};
}

void send_queue::sent(std::size_t count) {
  size_ -= count;
  offset_ += count;
  while (!segments_.empty() && offset_ >= segments_.front().view().size()) {
    offset_ -= segments_.front().view().size();
    segment& gone = segments_.front();
    if (!gone.shared && gone.copied.capacity() > spare_.capacity() &&
        gone.copied.capacity() <= 2 * long_segment) {
      spare_ = std::move(gone.copied);
    }
    segments_.pop_front();
  }
}

}  // namespace coterie::detail
