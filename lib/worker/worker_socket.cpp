// SPDX-License-Identifier: BSL-1.0
#include "worker/worker_socket.hpp"

#include <sys/socket.h>

#include <cerrno>

namespace coterie::detail {

std::size_t worker_socket::read(std::span<std::byte> to, bool may_wait) {
  for (;;) {
    const auto count = ::recv(descriptor_, to.data(), to.size(), MSG_DONTWAIT);
    if (count > 0) return static_cast<std::size_t>(count);
    if (count == 0) leave_without_parent(runtime_);
    if (errno == EAGAIN) {
      if (!may_wait) return 0;
      runtime_.wait_for_input(descriptor_);
    } else if (errno == ECONNRESET) {
      leave_without_parent(runtime_);
    } else if (errno != EINTR) {
      leave_without_link(runtime_);
    }
  }
}

std::size_t write_some(int socket, std::span<const iovec> pieces, worker_runtime& runtime) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces.data());
  message.msg_iovlen = pieces.size();
  for (;;) {
    const auto count = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno == EAGAIN) {
      runtime.wait_for_output(socket);
    } else if (errno == EPIPE || errno == ECONNRESET) {
      leave_without_parent(runtime);
    } else if (errno != EINTR) {
      leave_without_link(runtime);
    }
  }
}

void write_all(int socket, send_queue& queue, worker_runtime& runtime) {
  while (!queue.empty()) queue.sent(write_some(socket, queue.pieces(), runtime));
}

bool worker_socket::claim_up_to(std::size_t end, std::size_t) {
  if (!items_.claim_up_to(end)) leave_without_link(runtime_);
  return true;
}

}  // namespace coterie::detail
