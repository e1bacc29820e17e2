// SPDX-License-Identifier: BSL-1.0
#include "links/socket_link.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <new>
#include <span>
#include <utility>

namespace coterie::detail {

socket_link::socket_link(const boost::asio::any_io_executor& executor, unique_descriptor socket,
                         begun_reader counter)
    : socket_{executor, std::move(socket)}, counter_{std::move(counter)} {}

void socket_link::async_receive(std::shared_ptr<link_listener> listener) {
  const auto space = reader_.space();
  socket_.async_read(space, std::move(listener));
}

void socket_link::received(std::size_t count) {
  socket_.read_ended();
  reader_.received(count);
}

std::optional<frame> socket_link::next() {
  auto found = reader_.next();
  if (found && (found->header.segment != no_segment || is_for_the_link(found->header.kind))) {
    throw bad_frame{"it speaks of memory, and shares none"};
  }
  if (found && found->header.kind == message_kind::done) {
    counter_.ended(found->header.as<message::done>().chunk);
  }
  if (found && found->header.kind == message_kind::values) {
    const auto results = found->header.as<message::values>();
    if (results.claimed > 0) {
      counter_.told(results.chunk, results.first + results.count + results.claimed);
    }
  }
  return found;
}

bool socket_link::drain() {
  std::span<std::byte> space;
  try {
    space = reader_.space();
  } catch (const std::bad_alloc&) {
    return false;  // there is no room for the rest, which the worker has not lived to say
  }
  const auto count = ::recv(socket_.descriptor(), space.data(), space.size(), MSG_DONTWAIT);
  if (count <= 0) return false;
  reader_.received(static_cast<std::size_t>(count));
  return true;
}

void socket_link::send(const frame_header& header, const shared_payload& payload) {
  if (header.kind == message_kind::run) counter_.sent(header.as<message::run>().chunk);
  queue_.push(header, payload);
}

void socket_link::flush(const std::shared_ptr<link_listener>& listener) {
  // A direct send costs one system call and no trip through the event loop.
  while (!socket_.closed() && !queue_.empty() && !socket_.waits_for_room()) {
    const auto pieces = queue_.pieces();
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(pieces.data());
    message.msg_iovlen = pieces.size();
    const auto count = ::sendmsg(socket_.descriptor(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0) {
      queue_.sent(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN || errno == ENOBUFS) {
      socket_.async_wait_for_room(listener);
    } else if (errno != EINTR) {
      // The worker is gone, and the receiving side will say so.
      queue_ = send_queue{};
    }
  }
}

void socket_link::output_possible(const std::shared_ptr<link_listener>& listener) {
  socket_.wait_ended();
  flush(listener);
}

void socket_link::close() {
  queue_ = send_queue{};
  socket_.close();
}

}  // namespace coterie::detail
