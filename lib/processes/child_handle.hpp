// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>

#include <optional>

#include "processes/lifeline.hpp"
#include "system/unique_descriptor.hpp"

namespace coterie::detail {

/// A descriptor of the child's, readable when it has ended. Empty where there are none that can do
/// what is needed here: before Linux 5.4, in some sandboxes, under old versions of valgrind. Throws
/// `boost::system::system_error` if no descriptor is left.
unique_descriptor open_pidfd(pid_t child);

/// Names a child that is to be ended and reaped, and never another process that was given the same
/// number: by a pidfd, or without one by the number, which is the child's until it is reaped. A
/// program that waits for any of its children may have taken it away; so each step asks first
/// whether the child is there. Only a program that waits so in another thread can come in between.
struct child_handle {
  pid_t pid = 0;
  int pidfd = -1;  // not owned; -1: none
  /// With `process_group` all that is left of the group which the child leads is killed before the
  /// child is reaped: until then its number is that of no other group.
  ends_with_parent ends = ends_with_parent::worker;

  void kill() const noexcept;
  /// The wait status of a child that has ended, and is now reaped; `unknown_wait_status` if it was
  /// reaped by another; empty if it still runs.
  [[nodiscard]] std::optional<int> try_to_reap() const noexcept;
  /// Kills the child, waits until it has ended, and reaps it.
  void kill_and_reap() const noexcept;
};

}  // namespace coterie::detail
