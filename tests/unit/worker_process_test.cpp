// SPDX-License-Identifier: BSL-1.0

// Waiting for a child on an event loop: what is told is looked at, and never waited for.

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

#include "processes/child_handle.hpp"
#include "processes/exit_status.hpp"
#include "processes/worker_process.hpp"
#include "support/child.hpp"
#include "support/processes.hpp"
#include "support/refused_calls.hpp"

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using namespace coterie::detail;

// Should this process wait for it where it must not, the child ends by itself, and that is seen.
pid_t child_that_stays() {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(std::chrono::duration_cast<std::chrono::seconds>(test::deadline).count());
    for (;;) ::pause();
  }
  return child;
}

pid_t child_that_ends() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(3);
  return child;
}

/// A loop, and a process that it watches.
class watched {
 public:
  watched(pid_t pid, unique_descriptor pidfd)
      : process{loop.get_executor(), pid, std::move(pidfd), ends_with_parent::worker} {}

  /// Waits once, and says what that told. Meanwhile the loop serves others.
  std::optional<int> told() {
    bool called = false;
    bool served = false;
    std::optional<int> status;
    process.async_wait([&] {
      called = true;
      status = process.waited();
    });
    asio::post(loop, [&] { served = true; });
    loop.restart();
    const auto end = std::chrono::steady_clock::now() + test::deadline;
    while (!called && std::chrono::steady_clock::now() < end) loop.run_one_for(1s);
    CHECK(called);
    CHECK(served);
    return status;
  }

  asio::io_context loop{1};
  worker_process process;
};

bool was_killed(std::optional<int> status) {
  return status && WIFSIGNALED(*status) && WTERMSIG(*status) == SIGKILL;
}

}  // namespace

TEST_CASE(
    "given a child that ends, when it is waited for, then its status is told, and it is gone") {
  const pid_t pid = child_that_ends();
  watched child{pid, GENERATE(true, false) ? open_pidfd(pid) : unique_descriptor{}};
  std::optional<int> status;
  while (!(status = child.told())) {
  }
  CHECK(WIFEXITED(*status));
  CHECK(WEXITSTATUS(*status) == 3);
  CHECK(::waitpid(pid, nullptr, WNOHANG) == -1);
}

TEST_CASE(
    "given a descriptor that is ready for nothing, when a child runs, then the loop goes on") {
  // The loop watches the file of an ended child under the number that then is the running child's.
  const pid_t ended = child_that_ends();
  const unique_descriptor ready = open_pidfd(ended);
  REQUIRE(ready);
  const pid_t pid = child_that_stays();
  unique_descriptor own = open_pidfd(pid);
  const int number = ::dup(ready.get());
  watched child{pid, unique_descriptor{number}};
  bool called = false;
  std::optional<int> status;
  child.process.async_wait([&] {
    called = true;
    REQUIRE(::dup2(own.get(), number) == number);
    status = child.process.waited();
  });
  const auto end = std::chrono::steady_clock::now() + test::deadline;
  while (!called && std::chrono::steady_clock::now() < end) child.loop.run_one_for(1s);
  CHECK(called);
  CHECK_FALSE(status);
  CHECK(child.process.at_rest());
  CHECK(test::status_of(pid).state != 0);
  CHECK(::waitpid(ended, nullptr, 0) == ended);

  SECTION("and then it ends by itself") {
    child.process.kill();
    CHECK(test::eventually([&] { return (status = child.process.waited()).has_value(); }));
    CHECK(was_killed(status));
  }
  SECTION("and then it is ended") {
    child.process.end();
    CHECK(test::gone(pid));
  }
}

TEST_CASE(
    "given a wait that is ended, when the child runs, then no end is told, until there is one") {
  const bool by_descriptor = GENERATE(true, false);
  const pid_t pid = child_that_stays();
  watched child{pid, by_descriptor ? open_pidfd(pid) : unique_descriptor{}};
  for (int round = 0; round < 3; ++round) {
    asio::post(child.loop, [&] { child.process.stop_waiting(); });
    CHECK_FALSE(child.told());
    CHECK(test::status_of(pid).state != 0);
  }
  child.process.kill();
  std::optional<int> status;
  while (!(status = child.told())) {
  }
  CHECK(was_killed(status));
}

TEST_CASE("given no pidfd, when a child runs, then it is looked at again and again") {
  const pid_t pid = child_that_stays();
  watched child{pid, unique_descriptor{}};
  for (int look = 0; look < 3; ++look) CHECK_FALSE(child.told());
  CHECK(test::status_of(pid).state != 0);
  child.process.kill();
  std::optional<int> status;
  while (!(status = child.told())) {
  }
  CHECK(was_killed(status));
}

TEST_CASE("given a child that another has reaped, when it is looked at, then that is said") {
  const pid_t pid = child_that_ends();
  watched child{pid, GENERATE(true, false) ? open_pidfd(pid) : unique_descriptor{}};
  REQUIRE(::waitpid(pid, nullptr, 0) == pid);
  CHECK(child.told() == unknown_wait_status);
}

TEST_CASE(
    "given a wait that goes on, when the child is ended, then the wait ends, and no end is told") {
  const bool by_descriptor = GENERATE(true, false);
  const auto before = test::descriptors();
  {
    const pid_t pid = child_that_stays();
    watched child{pid, by_descriptor ? open_pidfd(pid) : unique_descriptor{}};
    asio::post(child.loop, [&] { child.process.end(); });
    CHECK_FALSE(child.told());
    CHECK(child.process.at_rest());
    CHECK(test::gone(pid));
  }
  CHECK(test::descriptors() == before);
}

TEST_CASE("given a child that runs, when its process is let go of, then it is gone") {
  const bool by_descriptor = GENERATE(true, false);
  const auto before = test::held_now();
  {
    const pid_t pid = child_that_stays();
    const watched child{pid, by_descriptor ? open_pidfd(pid) : unique_descriptor{}};
  }
  CHECK(test::held_now() == before);
}

TEST_CASE("given a system that knows no pidfds, when one is wanted, then there is none") {
  const int error = GENERATE(ENOSYS, EPERM);
  CHECK(test::in_child([&] {
          if (!test::refuse(SYS_pidfd_open, error)) return 1;
          return open_pidfd(::getpid()) ? 2 : 0;
        }) == 0);
}

TEST_CASE("given a system that cannot wait for pidfds, when one is wanted, then there is none") {
  CHECK(test::in_child([] {
          const auto before = test::descriptors();
          if (!test::refuse(SYS_waitid, EINVAL)) return 1;
          if (open_pidfd(::getpid())) return 2;
          return test::descriptors() == before ? 0 : 3;
        }) == 0);
}

TEST_CASE("given no descriptor that is left, when a pidfd is wanted, then that is an error") {
  CHECK(test::in_child([] {
          if (!test::refuse(SYS_pidfd_open, EMFILE)) return 1;
          try {
            static_cast<void>(open_pidfd(::getpid()));
          } catch (const boost::system::system_error& problem) {
            return problem.code().value() == EMFILE ? 0 : 2;
          }
          return 3;
        }) == 0);
}
