// SPDX-License-Identifier: BSL-1.0
#include "links/socket_link.hpp"

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <span>
#include <utility>

namespace coterie::detail {

socket_link::socket_link(runtime& runs_on, unique_descriptor socket, begun_reader counter)
    : listening_link{runs_on, std::move(socket)}, counter_{std::move(counter)} {}

std::optional<frame> socket_link::take_frame() {
  auto found = reader_.next();
  while (!found && read_the_rest()) found = reader_.next();
  if (!found) return found;
  if (found->header.segment != no_segment || is_for_the_link(found->header.kind)) {
    throw bad_frame{"it speaks of memory, and shares none"};
  }
  if (found->header.kind == message_kind::done) counter_.ended();
  if (found->header.kind == message_kind::values) {
    const auto results = found->header.as<message::values>();
    if (results.claimed > 0) {
      counter_.told(std::size_t{results.first} + results.count + results.claimed);
    }
    if (results.busy > 0) counter_.ended();
  }
  return found;
}

void socket_link::take_in_the_rest() {
  int there = 0;
  if (::ioctl(socket().descriptor(), FIONREAD, &there) == 0 && there > 0) {
    rest_ = static_cast<std::size_t>(there);
  }
}

bool socket_link::read_the_rest() {
  if (rest_ == 0) return false;
  std::span<std::byte> space;
  try {
    space = reader_.space();
  } catch (const std::bad_alloc&) {
    return false;  // there is no room for the rest, which the worker has not lived to say
  }
  space = space.first(std::min(space.size(), rest_));
  const auto count = ::recv(socket().descriptor(), space.data(), space.size(), MSG_DONTWAIT);
  if (count <= 0) {
    rest_ = 0;
    return false;
  }
  reader_.received(static_cast<std::size_t>(count));
  rest_ -= static_cast<std::size_t>(count);
  return true;
}

void socket_link::send(const frame_header& header, const shared_payload& payload) {
  if (socket().closed()) return;
  if (header.kind == message_kind::run) counter_.sent();
  queue_.push(header, payload);
}

void socket_link::flush() {
  // A direct send costs one system call and no trip through the event loop.
  while (!socket().closed() && !queue_.empty() && !socket().waits_for_room()) {
    const auto pieces = queue_.pieces();
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(pieces.data());
    message.msg_iovlen = pieces.size();
    const auto count = ::sendmsg(socket().descriptor(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0) {
      queue_.sent(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN || errno == ENOBUFS) {
      socket().async_wait_for_room(as_told());
    } else if (errno != EINTR) {
      // The worker is gone, and the receiving side will say so.
      queue_ = send_queue{};
    }
  }
}

std::optional<claimed_items> socket_link::claimed() {
  if (socket().closed() || !believed()) return std::nullopt;
  return counter_.claimed();
}

void socket_link::close() {
  queue_ = send_queue{};
  listening_link::close();
}

}  // namespace coterie::detail
