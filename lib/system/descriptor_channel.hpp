// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "system/unique_descriptor.hpp"

namespace coterie::detail {

/// What came of sending or receiving on a socket.
enum class channel_outcome {
  moved,        // `count` bytes were sent or received
  would_block,  // nothing, and `MSG_DONTWAIT` or a socket that does not block
  ended,        // the other end is closed; when receiving: and nothing is left of what it sent
  failed,       // `error` tells why
};

struct channel_sent {
  channel_outcome outcome = channel_outcome::failed;
  std::size_t count = 0;
  int error = 0;  // an errno, when `failed`
};

/// How many descriptors one call of `receive_with_descriptors` takes. A sender that sends one with
/// each message never gets near.
inline constexpr std::size_t most_descriptors = 8;

struct channel_received : channel_sent {
  /// In the order in which they were sent; the first `descriptor_count` are there. Owned from the
  /// moment they exist, in memory that cannot be missing: none can leak.
  std::array<unique_descriptor, most_descriptors> descriptors;
  std::size_t descriptor_count = 0;
  /// Whether there were more. If fewer than `most_descriptors` are there, this process may have no
  /// more descriptors (EMFILE); otherwise the other side sent more than anybody asked for. The rest
  /// is closed; there is no second chance.
  bool lost_descriptors = false;
};

/// Sends `bytes` over a Unix stream socket, and with the first of them a copy of `descriptor`,
/// which stays the caller's and may be closed at once.
///
/// Preconditions: `bytes` is not empty; a descriptor cannot travel alone (else `failed`, EINVAL).
/// Errors, beyond the outcomes: `failed` with, for example, EBADF, ENOBUFS or ETOOMANYREFS: too
/// many descriptors of this user are on their way. If fewer than all bytes are sent, the descriptor
/// went with them: send the rest without it.
/// `flags` are those of sendmsg; MSG_NOSIGNAL is added. Interruptions by signals are not seen.
/// Thread safety: none; two senders would mix their bytes.
channel_sent send_with_descriptor(int socket, std::span<const std::byte> bytes, int descriptor,
                                  int flags) noexcept;

/// Receives bytes from a Unix stream socket, and the descriptors that came with them, closed on
/// exec.
///
/// Where a descriptor belongs: it comes with the first byte of its message, and one call never goes
/// beyond the end of a message with descriptors, even if there are more bytes. But it may begin
/// with bytes of earlier messages, that had none. So a descriptor arrives no later than the bytes
/// that talk of it, perhaps together with other bytes in front: keep the descriptors in a queue,
/// and have every message that needs one take the next. While descriptors may come, every byte has
/// to be received by this function: to recv and read they are lost, silently.
///
/// Precondition: `to` is not empty; otherwise an end could not be told from nothing.
/// `flags` are those of recvmsg; MSG_CMSG_CLOEXEC is added. Interruptions by signals are not seen.
channel_received receive_with_descriptors(int socket, std::span<std::byte> to, int flags) noexcept;

}  // namespace coterie::detail
