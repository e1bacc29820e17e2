// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>

#include "system/unique_descriptor.hpp"

namespace coterie::detail {

/// What ends with a parent: its worker, or all that its worker's tasks have started too.
enum class ends_with_parent { worker, process_group };

/// Ends a child when this process ends, however that happens, and whatever the child is doing:
/// computing, waiting, stopped, or not even in its `main`.
///
/// It is the reading end of a pipe whose writing end only this process holds, and never writes to.
/// When this process ends the kernel closes that end, and sends the owner of the reading end the
/// signal that was chosen: SIGKILL, which needs no code of the child's. The owner belongs to the
/// open file, so each child has one of its own. The parent names the owner as soon as it knows it,
/// and so does the child, should the parent have been killed before.
///
/// A process that this one forks closes its copy of the writing end at once. One that was made
/// without `fork` (by `_Fork`, or the system call itself) and that does not call `exec` keeps it
/// open until it makes a child of its own.
class lifeline {
 public:
  /// Throws `boost::system::system_error`.
  lifeline();

  /// What the child is to be given, and to hold open.
  [[nodiscard]] int descriptor() const noexcept { return read_.get(); }

  /// To be called when the child is there.
  void tie(pid_t child, ends_with_parent what) noexcept;

 private:
  unique_descriptor read_;
};

/// Names the owner of a lifeline's reading end. A `process_group` is one that the child leads. May
/// be done by both, the parent and the child, in any order.
void tie_to_parent(int reading_end, pid_t child, ends_with_parent what) noexcept;

}  // namespace coterie::detail
