// SPDX-License-Identifier: BSL-1.0
#include "worker/fork_guard.hpp"

#include <unistd.h>

#include <cstddef>
#include <cstdio>

#include "processes/exit_status.hpp"

namespace coterie::detail {

// Nothing is flushed: what waits in this process's copy of a buffer is the worker's to write.
void fork_guard::leave() const {
  char text[256];
  const int length = std::snprintf(
      text, sizeof text,
      "coterie: process %d, forked by a task in worker process %d, came back out of the task and is "
      "ended: the worker alone answers for the task. End such a process in the task, by _exit\n",
      static_cast<int>(::getpid()), static_cast<int>(home_.pid()));
  // In one piece, beside what others write there. If standard error is closed, the process ends all
  // the same.
  [[maybe_unused]] const auto written =
      ::write(STDERR_FILENO, text, static_cast<std::size_t>(length));
  ::_exit(exit_forked);
}

}  // namespace coterie::detail
