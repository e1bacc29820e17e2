// SPDX-License-Identifier: BSL-1.0
#include "worker/parent_watch.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace coterie::detail {

void end_with_parent(const worker_environment& environment) {
  constexpr int lifeline = worker_environment::lifeline_descriptor;
  ::fcntl(lifeline, F_SETFD, FD_CLOEXEC);
  tie_to_parent(lifeline, ::getpid(), environment.ends);
  char none = 0;
  // The end of the pipe: the parent ended before there was a tie. It has never written anything.
  const bool other_parent = ::getppid() != environment.parent && ::getppid() != 0;
  if (::read(lifeline, &none, 1) == 0 || other_parent) ::_exit(0);
}

}  // namespace coterie::detail
