// SPDX-License-Identifier: BSL-1.0

// Places where a program may find itself: old kernels and sandboxes, pid namespaces, without /proc,
// started by the loader, under valgrind. A pool works there, or says what is missing.

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <future>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#include "support/child.hpp"
#include "support/expect.hpp"
#include "support/processes.hpp"
#include "support/program.hpp"
#include "support/refused_calls.hpp"
#include "support/run.hpp"
#include "support/sanitized.hpp"
#include "support/shared_memory.hpp"

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr int good = 5;
constexpr int not_allowed = 77;

int twice(int value) { return 2 * value; }
int own_pid() { return ::getpid(); }
int leave(int code) { ::_exit(code); }
void sleep_for_ever() {
  for (;;) ::pause();
}

template <class T>
T result_of(asio::io_context& loop, std::future<T> future) {
  loop.restart();
  const auto end = std::chrono::steady_clock::now() + test::deadline;
  while (future.wait_for(0s) != std::future_status::ready) {
    if (std::chrono::steady_clock::now() > end) throw std::runtime_error{"no result in time"};
    loop.run_one_for(1s);
  }
  return future.get();
}

/// A life of a pool: calls, crashes of idle and of busy workers, a task that is killed, an orderly
/// end.
/// Returns `good`, or where it went wrong.
int try_a_pool() {
  asio::io_context loop{1};
  coterie::pool pool{loop, {.processes = 2}};
  const auto call = [&] { return result_of(loop, pool.apply(twice, 21, asio::use_future)); };
  if (call() != 42) return 10;
  try {
    result_of(loop, pool.apply(leave, 3, asio::use_future));
    return 11;
  } catch (const coterie::worker_crashed& problem) {
    if (problem.exit_code() != 3) return 12;
  }
  if (call() != 42) return 13;
  ::kill(test::children().front(), SIGKILL);
  loop.restart();
  while (pool.stats().workers_started < 4) loop.run_one_for(1s);
  if (call() != 42) return 14;
  auto pending = pool.apply_async(sleep_for_ever);
  loop.run_for(10ms);
  pending.cancel();
  if (call() != 42) return 15;
  pool.close();
  result_of(loop, pool.join(asio::use_future));
  if (!test::children().empty()) return 16;
  {
    coterie::pool other{loop, {.processes = 3}};
    if (result_of(loop, other.apply(own_pid, asio::use_future)) == 0) return 17;
    static_cast<void>(other.apply_async(sleep_for_ever));
    loop.run_for(1ms);
  }
  return test::children().empty() ? good : 18;
}

/// Says so if the machine does not let this be tried.
void check_code(int code) {
  if (code == not_allowed) {
    WARN("not tried: this needs root, or namespaces for users");
  } else {
    CHECK(code == good);
  }
}

bool enter_namespaces(int which) {
  return ::unshare(which) == 0 || ::unshare(CLONE_NEWUSER | which) == 0;
}

int check_start_fails(const std::string& wanted) {
  asio::io_context loop{1};
  coterie::pool pool{loop, {.processes = 1}};
  try {
    result_of(loop, pool.apply(twice, 21, asio::use_future));
  } catch (const coterie::start_failed& problem) {
    if (std::string{problem.reason()}.find(wanted) != std::string::npos) return good;
    std::fprintf(stderr, "%s\n", problem.reason());
    return 6;
  }
  return 7;
}

std::string loader() {
  for (const char* const each :
       {"/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1", "/lib64/ld64.so.2"}) {
    if (::access(each, X_OK) == 0) return each;
  }
  return {};
}

}  // namespace

TEST_CASE("given a system without pidfds, when a pool lives and its workers die, then it works") {
  const int error = GENERATE(ENOSYS, EPERM);
  check_code(test::in_child([&] {
    if (!test::refuse(SYS_pidfd_open, error)) return not_allowed;
    return try_a_pool();
  }));
}

TEST_CASE(
    "given children that must not be waited for, when workers die, then others take their place") {
  const bool pidfds = GENERATE(true, false);
  check_code(test::in_child([&] {
    if (!pidfds && !test::refuse(SYS_pidfd_open, ENOSYS)) return not_allowed;
    std::signal(SIGCHLD, SIG_IGN);
    asio::io_context loop{1};
    coterie::pool pool{loop, {.processes = 1}};
    try {
      result_of(loop, pool.apply(leave, 3, asio::use_future));
      return 6;
    } catch (const coterie::worker_crashed& problem) {
      if (problem.exit_code() || problem.signal()) return 7;
    }
    return result_of(loop, pool.apply(twice, 21, asio::use_future)) == 42 ? good : 8;
  }));
}

TEST_CASE("given children in another pid namespace, when a pool starts workers, then it says so") {
  check_code(test::in_child([] {
    if (!enter_namespaces(CLONE_NEWPID)) return not_allowed;
    return check_start_fails("(the children of this process live in another pid namespace");
  }));
}

TEST_CASE("given a program in a pid namespace with the outer /proc, when it runs, then it works") {
  check_code(test::in_child([] {
    if (!enter_namespaces(CLONE_NEWPID)) return not_allowed;
    return test::in_child([] {
      asio::io_context loop{1};
      coterie::pool pool{loop, {.processes = 2}};
      try {
        result_of(loop, pool.apply(leave, 3, asio::use_future));
        return 6;
      } catch (const coterie::worker_crashed& problem) {
        if (problem.exit_code() != 3) return 7;
      }
      return result_of(loop, pool.apply(twice, 21, asio::use_future)) == 42 ? good : 8;
    });
  }));
}

TEST_CASE("given no /proc, when a pool starts workers, then it says what is missing") {
  check_code(test::in_child([] {
    if (!enter_namespaces(CLONE_NEWNS) ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::umount2("/proc", MNT_DETACH) != 0) {
      return not_allowed;
    }
    return check_start_fails("cannot start a process (/proc is not mounted");
  }));
}

TEST_CASE("given no /dev/null, when a pool starts workers, then it says what is missing") {
  check_code(test::in_child([] {
    if (!enter_namespaces(CLONE_NEWNS) ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", "/dev", "tmpfs", 0, nullptr) != 0) {
      return not_allowed;
    }
    return check_start_fails("cannot start a process (there is no /dev/null");
  }));
}

TEST_CASE("given a program that the loader was told to run, when it makes a pool, then it works") {
  if (test::sanitized || loader().empty()) return;
  const std::vector<std::string> options =
      GENERATE(std::vector<std::string>{},
               std::vector<std::string>{"--library-path", "/nowhere", "--argv0", "another name"});
  std::vector<std::string> arguments = options;
  arguments.insert(arguments.end(), {test::fixture_path(), "run_int", "!"});
  test::program fixture{arguments, loader()};
  CHECK(fixture.line() == "3!");
  CHECK(fixture.exit_code() == 42);
  CHECK(fixture.rest_of_error().empty());
}

TEST_CASE("given valgrind, when a program with a pool runs under it, then it works") {
  const std::string valgrind = "/usr/bin/valgrind";
  if (test::sanitized || ::access(valgrind.c_str(), X_OK) != 0) return;
#ifdef BOOST_ASIO_HAS_IO_URING
  // It does not see what the kernel writes for a ring, and takes messages for uninitialised.
  if (test::over_sockets()) return;
#endif
  const std::string children = GENERATE("--trace-children=no", "--trace-children=yes");
  INFO(children);
  test::program fixture{{"-q", "--error-exitcode=9", children, test::fixture_path(), "run_void"},
                        valgrind};
  CHECK(fixture.line() == "42");
  CHECK(fixture.exit_code() == 0);
}
