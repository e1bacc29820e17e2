// SPDX-License-Identifier: BSL-1.0
#include "system/descriptor_channel.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace coterie::detail {

namespace {

template <std::size_t Count>
struct control_buffer {
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(int) * Count)> bytes{};
};

// The outcome of a call that returned `result`, or else errno.
channel_sent outcome_of(ssize_t result) noexcept {
  if (result >= 0) return {channel_outcome::moved, static_cast<std::size_t>(result), 0};
  switch (errno) {
    case EAGAIN:
      return {channel_outcome::would_block, 0, 0};
    case EPIPE:
    // When receiving: the other end closed without having read everything. It is told once, after
    // all that it sent.
    case ECONNRESET:
      return {channel_outcome::ended, 0, 0};
    default:
      return {channel_outcome::failed, 0, errno};
  }
}

// Takes over every descriptor that the kernel has installed.
void take_over(msghdr& message, channel_received& to) noexcept {
  for (cmsghdr* each = CMSG_FIRSTHDR(&message); each != nullptr;
       each = CMSG_NXTHDR(&message, each)) {
    if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (each->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t index = 0; index < count; ++index) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(each) + index * sizeof(int), sizeof(int));
      unique_descriptor descriptor{number};
      if (to.descriptor_count < most_descriptors) {
        to.descriptors[to.descriptor_count++] = std::move(descriptor);
      } else {
        // The kernel may count padding as room, and install more than were asked for.
        to.lost_descriptors = true;
      }
    }
  }
}

}  // namespace

channel_sent send_with_descriptor(int socket, std::span<const std::byte> bytes, int descriptor,
                                  int flags) noexcept {
  // The kernel would send nothing, and say that all is well.
  if (bytes.empty()) return {channel_outcome::failed, 0, EINVAL};

  control_buffer<1> control;
  iovec piece{const_cast<std::byte*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes.data();
  message.msg_controllen = control.bytes.size();
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof(int));

  ssize_t result = 0;
  do {
    result = ::sendmsg(socket, &message, flags | MSG_NOSIGNAL);
  } while (result < 0 && errno == EINTR);
  return outcome_of(result);
}

channel_received receive_with_descriptors(int socket, std::span<std::byte> to, int flags) noexcept {
  channel_received received;
  control_buffer<most_descriptors> control;
  iovec piece{to.data(), to.size()};
  msghdr message{};
  ssize_t result = 0;
  do {
    message = msghdr{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes.data();
    message.msg_controllen = control.bytes.size();
    result = ::recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
  } while (result < 0 && errno == EINTR);

  static_cast<channel_sent&>(received) = outcome_of(result);
  if (result < 0) return received;
  received.lost_descriptors = (message.msg_flags & MSG_CTRUNC) != 0;
  take_over(message, received);
  if (result == 0) received.outcome = channel_outcome::ended;
  return received;
}

}  // namespace coterie::detail
