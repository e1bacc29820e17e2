// SPDX-License-Identifier: BSL-1.0
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>

#include <catch2/catch.hpp>

#include "processes/child_handle.hpp"
#include "processes/exit_status.hpp"
#include "support/processes.hpp"

namespace {

using namespace coterie::detail;

pid_t child_that(auto body) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    ::_exit(3);
  }
  return child;
}

void stay() {
  for (;;) ::pause();
}

/// Both ways to name a child.
struct named_child {
  named_child(pid_t pid, bool by_descriptor) {
    if (by_descriptor) pidfd = open_pidfd(pid);
    handle = {.pid = pid, .pidfd = pidfd.get()};
  }
  unique_descriptor pidfd;
  child_handle handle;
};

std::optional<int> status_of(const child_handle& child) {
  std::optional<int> status;
  test::eventually([&] { return (status = child.try_to_reap()).has_value(); });
  return status;
}

}  // namespace

TEST_CASE("given a child that runs, when it is to be reaped, then it is not, until it has ended") {
  const named_child child{child_that(stay), GENERATE(true, false)};
  CHECK_FALSE(child.handle.try_to_reap());
  child.handle.kill();
  const auto status = status_of(child.handle);
  REQUIRE(status);
  CHECK(WIFSIGNALED(*status));
  CHECK(WTERMSIG(*status) == SIGKILL);
}

TEST_CASE("given a child that exits, when it is reaped, then its code is told") {
  const named_child child{child_that([] {}), GENERATE(true, false)};
  const auto status = status_of(child.handle);
  REQUIRE(status);
  CHECK(WIFEXITED(*status));
  CHECK(WEXITSTATUS(*status) == 3);
}

TEST_CASE("given a child, when it is killed and reaped, then nothing is left of it") {
  const pid_t pid = child_that(stay);
  const named_child child{pid, GENERATE(true, false)};
  child.handle.kill_and_reap();
  CHECK(::waitpid(pid, nullptr, WNOHANG) == -1);
  CHECK(errno == ECHILD);
}

TEST_CASE("given a child that another has reaped, when it is asked for, then that is said") {
  const pid_t pid = child_that([] {});
  const named_child child{pid, GENERATE(true, false)};
  REQUIRE(::waitpid(pid, nullptr, 0) == pid);
  child.handle.kill();
  CHECK(child.handle.try_to_reap() == unknown_wait_status);
  child.handle.kill_and_reap();
}

TEST_CASE("given a process that is no child, when it is killed by number, then it lives") {
  // As if a child had been reaped by another, and its number given out again.
  child_handle{.pid = ::getpid()}.kill();
  child_handle{.pid = ::getpid()}.kill_and_reap();
  SUCCEED();
}
