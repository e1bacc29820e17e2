// SPDX-License-Identifier: BSL-1.0
// Exits with 0 where the kernel grants a ring as large as the one that Asio asks for.
#include <liburing.h>

int main() {
  constexpr unsigned asio_ring_size = 16384;
  io_uring ring;
  if (io_uring_queue_init(asio_ring_size, &ring, 0) != 0) return 1;
  io_uring_queue_exit(&ring);
}
