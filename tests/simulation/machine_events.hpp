// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "hostility.hpp"
#include "messages/claimed_items.hpp"
#include "messages/frame.hpp"

namespace simulation {

class simulated_worker;

/// What a machine tells of its workers.
class machine_events {
 public:
  virtual void worker_started(const simulated_worker& worker) = 0;
  virtual void worker_over(const simulated_worker& worker) = 0;
  /// It begins a chunk: what is known of those before was sent.
  virtual void next_chunk(const simulated_worker& worker) = 0;
  /// A frame has gone into its socket.
  virtual void frame_sent(pid_t worker) = 0;
  virtual void was_hostile(const simulated_worker& worker, const hostile_act& did) = 0;
  /// Its parent kills it.
  virtual void killed_by_parent(const simulated_worker& worker) = 0;

  // What the parent does at its end of the worker's link.

  /// It sends items.
  virtual void chunk_sent(pid_t worker, const coterie::detail::message::run& what) = 0;
  /// It takes a frame.
  virtual void frame_taken(pid_t worker, const coterie::detail::frame_header& what) = 0;
  /// It has revoked what the worker had not claimed.
  virtual void rest_revoked(pid_t worker, const coterie::detail::claimed_items& seen) = 0;
  /// It has found that what came is what no worker sends.
  virtual void refused(pid_t worker) = 0;
  /// It has been told what the worker claims although it does not believe it.
  virtual void believed_nonetheless(pid_t worker) = 0;
  /// It has seen all of a worker that is over. `claims`: what the worker says there.
  virtual void given_up(pid_t worker, std::uint64_t claims) = 0;

 protected:
  ~machine_events() = default;
};

}  // namespace simulation
