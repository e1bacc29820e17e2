// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <utility>

#include "support/processes.hpp"

namespace test {

/// The exit code of a child, once it has ended; the number of the signal that ended it, negative;
/// -1000 if it has not ended in time, and was killed.
inline int end_of_child(pid_t child) {
  int status = 0;
  if (!eventually([&] { return ::waitpid(child, &status, WNOHANG) == child; })) {
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
    return -1000;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/// Runs `body` in a process that is forked from this one, and tells how that ends: by the exit code
/// that `body` returns, or by 99 if it throws.
template <class Body>
int in_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      ::_exit(body());
    } catch (const std::exception& problem) {
      std::fprintf(stderr, "the child: %s\n", problem.what());
    }
    ::_exit(99);
  }
  return end_of_child(child);
}

}  // namespace test
