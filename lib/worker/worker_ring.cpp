// SPDX-License-Identifier: BSL-1.0
#include "worker/worker_ring.hpp"

#include <cstdio>
#include <span>
#include <utility>

#include "channel/ring_pair.hpp"
#include "messages/frame.hpp"
#include "processes/exit_status.hpp"
#include "timing/timing.hpp"

namespace coterie::detail {

worker_ring::worker_ring(int descriptor, shared_memory memory, std::size_t capacity,
                         std::chrono::nanoseconds poll_for, worker_runtime& runtime)
    : descriptor_{descriptor},
      memory_{std::move(memory)},
      capacity_{capacity},
      channel_{descriptor, ring_pair{memory_.bytes(), capacity}.to_worker,
               ring_pair{memory_.bytes(), capacity}.to_parent},
      results_{ring_pair{memory_.bytes(), capacity}.results},
      items_{ring_pair{memory_.bytes(), capacity}.claimed},
      poll_{poll_for},
      runtime_{runtime} {}

std::size_t worker_ring::read(std::span<std::byte> to, bool may_wait) {
  for (;;) {
    if (const std::size_t count = channel_.read(to); count > 0) return count;
    if (!may_wait) return 0;
    if (!poll() && !nap()) sleep();
  }
}

// Returns whether there is something to read.
bool worker_ring::poll() {
  const auto now = [this] { return runtime_.now(); };
  if (poll_.limit() == std::chrono::nanoseconds::zero() || !poll_.begin(now())) return false;
  return poll_.poll(poll_.limit(), now, [this] { return channel_.readable() > 0; });
}

// To be woken by futex costs half. But it hears nothing of the end of a parent that was killed.
// Returns false if it is time to sleep in the other way.
bool worker_ring::nap() {
  if (!channel_.prepare_sleep(wake_by::futex)) return false;
  const bool woken =
      runtime_.wait_on_word(channel_.sleep_word(), ring_reader::sleep_value, timing::worker_nap);
  channel_.stop_sleeping();
  return woken;
}

void worker_ring::sleep() {
  if (!channel_.prepare_sleep()) return;
  runtime_.wait_for_input(descriptor_);
  channel_.stop_sleeping();
  receive();
}

std::size_t worker_ring::write(std::span<const iovec> pieces) {
  for (;;) {
    if (const std::size_t count = channel_.write(pieces); count > 0) return count;
    if (!channel_.prepare_wait(capacity_)) continue;
    runtime_.wait_for_input(descriptor_);
    channel_.stop_waiting();
    receive();
  }
}

unique_descriptor worker_ring::take_descriptor() {
  for (;;) {
    if (unique_descriptor next = channel_.take_descriptor()) return next;
    if (!receive()) throw bad_frame{"it speaks of memory that it has not sent"};
  }
}

// Returns whether there was anything.
bool worker_ring::receive() {
  using enum ring_channel::arrival;
  switch (channel_.receive()) {
    case nothing:
      return false;
    case bells:
      return true;
    case end:
      leave_without_parent(runtime_);
    case error:
      leave_without_link(runtime_);
    case lost_descriptor:
      break;
  }
  std::fprintf(stderr,
               "coterie: a worker has no file descriptors left (\"ulimit -n\") and cannot take "
               "memory from its parent: do its tasks leave files open?\n");
  runtime_.exit_at_once(exit_no_memory);
}

}  // namespace coterie::detail
