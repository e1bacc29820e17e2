// SPDX-License-Identifier: BSL-1.0

// A worker whose parent is killed before it could tie the worker to itself, and which does not get
// as far as `init`. The parent is a child of the test that starts the worker as the launcher does,
// without the tie: that way no kill has to hit the moment.

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "processes/lifeline.hpp"
#include "processes/worker_environment.hpp"
#include "support/child.hpp"
#include "support/processes.hpp"

namespace {

using coterie::detail::ends_with_parent;
using coterie::detail::lifeline;
using coterie::detail::worker_environment;

constexpr const char* variable = "COTERIE_TEST_STOPS_BEFORE_MAIN";

// The kernel wakes the stopped processes of a group that has lost its parent: these do not go on.
struct stops_before_main {
  stops_before_main() {
    while (std::getenv(variable) != nullptr) std::raise(SIGSTOP);
  }
};
const stops_before_main in_a_constructor;

[[noreturn]] void become_worker(int link, int tie, const worker_environment& environment) {
  ::setpgid(0, 0);
  // Which the kernel sends in such a case.
  std::signal(SIGHUP, SIG_IGN);
  ::dup2(link, worker_environment::link_descriptor);
  ::dup2(tie, worker_environment::lifeline_descriptor);
  static std::string assignment = environment.assignment();
  ::putenv(assignment.data());
  ::setenv(variable, "yes", 1);
  ::execl("/proc/self/exe", "worker", static_cast<char*>(nullptr));
  ::_exit(127);
}

/// Until it is killed.
[[noreturn]] void be_parent(ends_with_parent what) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) ::_exit(1);
  const lifeline untied;
  const worker_environment environment{.rank = 0, .parent = ::getpid(), .ends = what};
  // Out of the way of the places that they are to have.
  const int link = ::fcntl(ends[1], F_DUPFD_CLOEXEC, 10);
  const int tie = ::fcntl(untied.descriptor(), F_DUPFD_CLOEXEC, 10);
  if (::fork() == 0) become_worker(link, tie, environment);
  for (;;) ::pause();
}

}  // namespace

TEST_CASE("given a worker that stops before main, when its parent is killed untied, then it ends") {
  const auto what = GENERATE(ends_with_parent::process_group, ends_with_parent::worker);
  const pid_t parent = ::fork();
  if (parent == 0) be_parent(what);
  std::vector<pid_t> workers;
  REQUIRE(test::eventually([&] {
    workers = test::children_of(parent);
    return workers.size() == 1 && test::status_of(workers[0]).state == 'T';
  }));
  ::kill(parent, SIGKILL);
  CHECK(test::end_of_child(parent) == -SIGKILL);
  CHECK(test::all_gone(workers, std::chrono::seconds{10}));
}
