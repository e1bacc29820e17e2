// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <poll.h>

namespace coterie::detail {

/// Waits until there is something to read from a socket, or its other side is gone; or a signal
/// comes.
///
/// A Unix socket also ends a wait in a reading call when the other side has read what this side
/// sent: for nothing, and at the cost of two switches of the processor. It does not end a `poll`
/// for input.
inline void wait_for_input(int descriptor) noexcept {
  pollfd wanted{.fd = descriptor, .events = POLLIN, .revents = 0};
  ::poll(&wanted, 1, -1);
}

/// Waits until a socket takes more, or its other side is gone; or a signal comes.
inline void wait_for_output(int descriptor) noexcept {
  pollfd wanted{.fd = descriptor, .events = POLLOUT, .revents = 0};
  ::poll(&wanted, 1, -1);
}

}  // namespace coterie::detail
