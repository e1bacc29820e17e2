// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/socket.h>

#include <cstddef>

namespace coterie::detail {

/// The byte that wakes the other end of a channel.
inline constexpr std::byte doorbell{0x07};

/// Wakes the other end. A socket that is full of bells wakes by those. If the other end is closed,
/// nothing happens here: a wait on the socket tells.
inline void ring_doorbell(int socket) noexcept {
  ::send(socket, &doorbell, sizeof doorbell, MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace coterie::detail
