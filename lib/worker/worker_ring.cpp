// SPDX-License-Identifier: BSL-1.0
#include "worker/worker_ring.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "links/ring_pair.hpp"

namespace coterie::detail {

worker_ring::worker_ring(int descriptor, shared_memory memory)
    : descriptor_{descriptor},
      memory_{std::move(memory)},
      in_{ring_pair{memory_.bytes()}.to_worker},
      out_{ring_pair{memory_.bytes()}.to_parent} {}

std::size_t worker_ring::read(std::span<std::byte> to, bool may_wait) {
  for (;;) {
    const std::size_t count = in_.read(to);
    if (count > 0) {
      if (in_.must_wake_writer()) ring_doorbell(descriptor_);
      return count;
    }
    if (!may_wait) return 0;
    if (in_.prepare_sleep()) {
      wait();
      in_.stop_sleeping();
    }
  }
}

std::size_t worker_ring::write(std::span<const iovec> pieces) {
  for (;;) {
    if (const std::size_t count = out_.write(pieces); count > 0) return count;
    // The reader must be up before this side waits for it.
    notify();
    if (out_.prepare_wait(out_.capacity() / 2)) {
      wait();
      out_.stop_waiting();
    }
  }
}

void worker_ring::notify() {
  if (out_.must_wake_reader()) ring_doorbell(descriptor_);
}

// Any doorbell ends it, whatever it was rung for: both rings are looked at again before a sleep.
void worker_ring::wait() {
  std::array<std::byte, 64> doorbells;
  const auto count = ::recv(descriptor_, doorbells.data(), doorbells.size(), 0);
  if (count == 0 || (count < 0 && errno != EINTR)) leave_without_parent();
}

}  // namespace coterie::detail
