// SPDX-License-Identifier: BSL-1.0
#include "worker/parent_watch.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>

namespace coterie::detail {

namespace {

volatile pid_t expected_parent = 0;

// This signal also comes when only the thread that started the worker has ended. Then the parent is
// still the same, and nothing is to be done.
void on_parent_signal(int) {
  if (::getppid() != expected_parent) ::_exit(0);
}

}  // namespace

void end_with_parent(const worker_environment& environment) {
  expected_parent = environment.parent;

  // The first way: when the last writing end of the lifeline is closed, the kernel sends the owner
  // of its reading end a signal of that owner's choice. SIGKILL needs no code of ours to run, and
  // ends a stopped process, too. The owner belongs to the open file, which all workers were given,
  // so each opens the pipe anew.
  const int lifeline = ::open("/proc/self/fd/4", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  static_assert(worker_environment::lifeline_descriptor == 4);
  ::close(worker_environment::lifeline_descriptor);
  if (lifeline >= 0) {
    ::fcntl(lifeline, F_SETOWN, ::getpid());
    ::fcntl(lifeline, F_SETSIG, SIGKILL);
    ::fcntl(lifeline, F_SETFL, O_ASYNC | O_NONBLOCK | O_RDONLY);
    // It may have ended before the owner was set.
    char none = 0;
    if (::read(lifeline, &none, 1) == 0) ::_exit(0);
  }

  // The second way, for a parent that has forked a process which still holds the writing end.
  struct sigaction action{};
  action.sa_handler = on_parent_signal;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGRTMAX, &action, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGRTMAX);
  if (::getppid() != expected_parent) ::_exit(0);
}

}  // namespace coterie::detail
