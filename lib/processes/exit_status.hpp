// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace coterie::detail {

/// Exit codes with which a worker tells its parent why it left before its time. Chosen above the
/// shell's and below those that signals take.
enum worker_exit_code : int {
  exit_without_init = 120,  // main made a pool without having called init
  exit_not_ready = 121,     // the initializer threw; the exception was sent
  exit_bad_frame = 122,     // the parent's bytes made no sense
  exit_no_memory = 123,     // the memory shared with the parent cannot be used
  exit_lost_link = 124,  // a task closed the descriptors by which the worker speaks with its parent
  exit_forked = 125,     // no worker, but a process that a task forked and did not end
};

/// Stands for the wait status of a process whose end could not be observed.
inline constexpr int unknown_wait_status = -1;

}  // namespace coterie::detail
