// SPDX-License-Identifier: BSL-1.0
#include "channel/ring_channel.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

#include "channel/doorbell.hpp"
#include "messages/frame.hpp"
#include "system/descriptor_channel.hpp"
#include "system/futex.hpp"

namespace coterie::detail {

namespace {

// A few times as many as any end has on their way.
constexpr std::size_t max_descriptors = 64;

}  // namespace

// ---- what comes -------------------------------------------------------------------------------

std::size_t ring_channel::read(std::span<std::byte> to) {
  const std::size_t count = in_.read(to);
  if (count > 0 && in_.must_wake_writer()) ring_doorbell(socket_);
  return count;
}

// ---- what goes --------------------------------------------------------------------------------

bool ring_channel::notify() {
  const auto how = out_.must_wake_reader();
  if (!how) return false;
  if (*how == wake_by::futex) {
    wake_word(out_.reader_sleeps());
  } else {
    ring_doorbell(socket_);
  }
  return true;
}

void ring_channel::notify_of_end() noexcept {
  if (out_.must_wake_reader_for_the_end() == wake_by::futex) wake_word(out_.reader_sleeps());
}

// Small wishes make the two ends take turns for a few bytes each.
bool ring_channel::prepare_wait(std::size_t wanted) {
  notify();
  return out_.prepare_wait(std::min(wanted, out_.capacity() / 2));
}

bool ring_channel::send_descriptor(int descriptor) {
  return send_with_descriptor(socket_, {&doorbell, 1}, descriptor, MSG_DONTWAIT).outcome ==
         channel_outcome::moved;
}

// ---- the socket -------------------------------------------------------------------------------

ring_channel::arrival ring_channel::receive() {
  std::array<std::byte, 64> bytes;
  channel_received came = receive_with_descriptors(socket_, bytes, MSG_DONTWAIT);
  switch (came.outcome) {
    case channel_outcome::would_block:
      return arrival::nothing;
    case channel_outcome::ended:
      return arrival::end;
    case channel_outcome::failed:
      return arrival::error;
    case channel_outcome::moved:
      break;
  }
  // Which of them is missing cannot be told, and so not which message speaks of which.
  if (came.lost_descriptors && came.descriptor_count < most_descriptors) {
    return arrival::lost_descriptor;
  }
  if (came.lost_descriptors || descriptors_.size() + came.descriptor_count > max_descriptors) {
    throw bad_frame{"it sent more descriptors than it may"};
  }
  received(std::span{bytes}.first(came.count));
  for (auto& each : std::span{came.descriptors}.first(came.descriptor_count)) {
    descriptors_.push_back(std::move(each));
  }
  return arrival::bells;
}

void ring_channel::received(std::span<const std::byte> bytes) {
  if (std::ranges::any_of(bytes, [](std::byte each) { return each != doorbell; })) {
    throw bad_frame{"it wrote to a socket that carries no messages"};
  }
}

unique_descriptor ring_channel::take_descriptor() noexcept {
  if (descriptors_.empty()) return {};
  unique_descriptor first = std::move(descriptors_.front());
  descriptors_.pop_front();
  return first;
}

}  // namespace coterie::detail
