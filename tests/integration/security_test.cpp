// SPDX-License-Identifier: BSL-1.0

// What a process believes of the process that starts it, and what rights its workers have.

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "support/processes.hpp"
#include "support/program.hpp"
#include "support/sanitized.hpp"
#include "support/signal.hpp"

namespace fs = std::filesystem;

namespace {

/// Starts the fixture as a pool would start a worker, but from this program, which is another one.
/// Returns its exit code, and in `said` how many bytes it has sent.
int start_as_worker(const std::string& claim, bool with_socket, std::size_t& said) {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    with_socket ? ::dup2(ends[1], 3) : ::close(3);
    ::setenv("COTERIE_WORKER", claim.c_str(), 1);
    const std::string path = test::fixture_path();
    ::execl(path.c_str(), path.c_str(), "own_main", static_cast<char*>(nullptr));
    ::_exit(127);
  }
  ::close(ends[1]);
  // An offer to speak over the socket, with a secret of zeros.
  const std::array<char, 24> offer{'S'};
  static_cast<void>(::send(ends[0], offer.data(), offer.size(), MSG_NOSIGNAL));
  char byte = 0;
  said = 0;
  while (::recv(ends[0], &byte, 1, 0) > 0) ++said;
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// A copy of the fixture that is set-user-ID root, where another user can run it.
struct privileged_copy {
  privileged_copy() {
    const fs::path at = folder.file("program");
    fs::copy_file(test::fixture_path(), at);
    ::chmod(at.parent_path().c_str(), 0755);
    set = ::chmod(at.c_str(), 04755) == 0;
    path = at.string();
  }
  test::directory folder;
  std::string path;
  bool set = false;
};

/// What it prints when a user without rights runs it.
std::vector<std::string> run_as_nobody(const privileged_copy& copy, const std::string& how) {
  test::program run{
      {"--reuid=65534", "--regid=65534", "--clear-groups", copy.path, "privileged", how},
      "/usr/bin/setpriv"};
  std::vector<std::string> lines{run.line(), run.line()};
  CHECK(run.exit_code() == 0);
  return lines;
}

bool can_give_rights() {
  if (::geteuid() != 0 || test::sanitized || ::access("/usr/bin/setpriv", X_OK) != 0) {
    std::cout << "skipped: only root can make a set-user-ID program, and not one with sanitizers\n";
    return false;
  }
  return true;
}

}  // namespace

TEST_CASE("given a stranger that starts a program as a worker, when it begins, its own main runs") {
  const std::string own_pid = std::to_string(::getpid());
  const std::string claim =
      GENERATE_COPY(as<std::string>{}, "0:" + own_pid + ":group", "0:1:worker", "7:0:group",
                    "0:" + own_pid, "0:" + own_pid + ":groups", "nonsense");
  const bool with_socket = GENERATE(true, false);
  INFO("\"" << claim << "\", with a socket: " << with_socket);
  std::size_t said = 0;
  CHECK(start_as_worker(claim, with_socket, said) == 42);
  CHECK(said == 0);
}

TEST_CASE(
    "given a set-user-ID program that gave its rights up, when it has workers, they have none") {
  if (!can_give_rights()) return;
  const privileged_copy copy;
  REQUIRE(copy.set);
  const auto lines = run_as_nobody(copy, "drop");
  if (lines[0] == "here 65534 65534" && lines[1].starts_with("worker")) {
    CHECK(lines[1] == "worker 65534 65534");
  } else {
    FAIL(lines[0] << ", " << lines[1]);
  }
}

TEST_CASE(
    "given a set-user-ID program that keeps its rights, when it makes a pool, it is refused") {
  if (!can_give_rights()) return;
  const privileged_copy copy;
  REQUIRE(copy.set);
  const auto lines = run_as_nobody(copy, "keep");
  if (lines[0] == "here 65534 65534")
    return;  // the temporary folder is mounted without such rights
  CHECK(lines[0] == "here 65534 0");
  CHECK(lines[1].starts_with("refused a pool cannot be made"));
}

TEST_CASE("given workers that stop before init, when the parent is killed, then they end as well") {
  const test::directory folder;
  test::program fixture{{"workers_stop_before_init", folder.file("marks")}};
  REQUIRE(fixture.line() == "started");
  const std::vector<pid_t> workers = fixture.workers();
  REQUIRE(workers.size() == 2);
  REQUIRE(test::eventually([&] {
    return std::ranges::all_of(workers,
                               [](pid_t each) { return test::status_of(each).state == 'T'; });
  }));
  fixture.signal(SIGKILL);
  CHECK(fixture.wait().has_value());
  CHECK(test::all_gone(workers));
}
