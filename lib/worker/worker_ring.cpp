// SPDX-License-Identifier: BSL-1.0
#include "worker/worker_ring.hpp"

#include <sys/socket.h>

#include <array>
#include <cstdio>
#include <span>
#include <utility>

#include "channel/ring_pair.hpp"
#include "messages/frame.hpp"
#include "processes/exit_status.hpp"
#include "system/descriptor_channel.hpp"

namespace coterie::detail {

worker_ring::worker_ring(int descriptor, shared_memory memory, std::size_t capacity,
                         std::chrono::nanoseconds poll_for, worker_runtime& runtime)
    : descriptor_{descriptor},
      memory_{std::move(memory)},
      in_{ring_pair{memory_.bytes(), capacity}.to_worker},
      out_{ring_pair{memory_.bytes(), capacity}.to_parent},
      results_{ring_pair{memory_.bytes(), capacity}.results},
      items_{ring_pair{memory_.bytes(), capacity}.claimed},
      poll_{poll_for},
      runtime_{runtime} {}

std::size_t worker_ring::read(std::span<std::byte> to, bool may_wait) {
  for (;;) {
    const std::size_t count = in_.read(to);
    if (count > 0) {
      if (in_.must_wake_writer()) ring_doorbell(descriptor_);
      return count;
    }
    if (!may_wait) return 0;
    if (polled()) continue;
    receive();
    if (in_.prepare_sleep()) {
      runtime_.wait_for_input(descriptor_);
      in_.stop_sleeping();
    }
  }
}

// Returns whether there is something to read.
bool worker_ring::polled() {
  const auto now = [this] { return runtime_.now(); };
  if (poll_.limit() == std::chrono::nanoseconds::zero() || !poll_.begin(now())) return false;
  return poll_.look(poll_.limit(), now, [this] { return in_.readable() > 0; });
}

std::size_t worker_ring::write(std::span<const iovec> pieces) {
  for (;;) {
    if (const std::size_t count = out_.write(pieces); count > 0) return count;
    // The reader must be up before this side waits for it.
    notify();
    receive();
    if (out_.prepare_wait(out_.capacity() / 2)) {
      runtime_.wait_for_input(descriptor_);
      out_.stop_waiting();
    }
  }
}

bool worker_ring::notify() {
  if (!out_.must_wake_reader()) return false;
  ring_doorbell(descriptor_);
  return true;
}

unique_descriptor worker_ring::take_descriptor() {
  while (descriptors_.empty()) {
    if (!receive()) throw bad_frame{"it speaks of memory that it has not sent"};
  }
  unique_descriptor first = std::move(descriptors_.front());
  descriptors_.pop_front();
  return first;
}

// Any doorbell ends a wait, whatever it was rung for: both rings are looked at again before a sleep. It is
// taken off the socket before the next wait is announced: after that it could be one for that wait. And not
// before, since whoever rang waits for what this side does now, and not for its socket to be empty.
//
// Returns whether there was anything.
bool worker_ring::receive() {
  std::array<std::byte, 64> doorbells;
  channel_received came = receive_with_descriptors(descriptor_, doorbells, MSG_DONTWAIT);
  if (came.outcome == channel_outcome::ended) leave_without_parent(runtime_);
  if (came.outcome == channel_outcome::failed) leave_without_link(runtime_);
  if (came.lost_descriptors) {
    // Which of them is missing cannot be told, and so not which memory is which.
    std::fprintf(stderr,
                 "coterie: a worker has no file descriptors left (\"ulimit -n\") and cannot take "
                 "memory from its parent: do its tasks leave files open?\n");
    runtime_.exit_at_once(exit_no_memory);
  }
  for (auto& each : std::span{came.descriptors}.first(came.descriptor_count)) {
    descriptors_.push_back(std::move(each));
  }
  return came.outcome == channel_outcome::moved;
}

}  // namespace coterie::detail
