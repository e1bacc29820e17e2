// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coterie/detail/home_process.hpp>

namespace coterie::detail {

/// Keeps a process that a task has forked from serving as the worker. Such a process may end inside
/// the task, by `_exit` or `exec`. If it returns from the task, it would send frames in the
/// worker's name: it says so on standard error, and ends.
class fork_guard {
 public:
  /// Costs next to nothing; see `home_process::is_here`.
  void check() const {
    if (!home_.is_here()) leave();
  }

 private:
  [[noreturn]] void leave() const;

  home_process home_;
};

}  // namespace coterie::detail
