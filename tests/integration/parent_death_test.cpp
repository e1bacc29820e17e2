// SPDX-License-Identifier: BSL-1.0

// No worker outlives its parent, however that one ends.

#include <sys/types.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "support/processes.hpp"
#include "support/program.hpp"

using namespace std::chrono_literals;

namespace {

// Far more than the kernel needs to pass the news on.
constexpr std::chrono::seconds promptly{test::sanitized ? 10 : 2};

// The test's own knowledge of a fixture in each state that its workers can be in.
void bring_about(test::program& fixture, const std::string& mode) {
  if (mode == "idle") {
    fixture.expect("ready");
  } else {
    fixture.expect("begun", 3);
  }
}

pid_t holder_of(test::program& fixture) {
  for (;;) {
    const std::string line = fixture.line();
    if (line.starts_with("holder ")) return std::atoi(line.c_str() + 7);
  }
}

bool killed_by(const std::optional<int>& status, int signal) {
  return status && WIFSIGNALED(*status) && WTERMSIG(*status) == signal;
}

}  // namespace

TEST_CASE("given workers in any state, when the parent is killed, then all of them end") {
  const std::string mode = GENERATE("idle", "busy", "sleeping", "deaf");
  const int signal = GENERATE(SIGKILL, SIGTERM, SIGSEGV);
  INFO(mode << ", signal " << signal);
  test::program fixture{{mode}};
  bring_about(fixture, mode);
  const auto workers = fixture.workers();
  REQUIRE(workers.size() == 3);
  fixture.signal(signal);
  CHECK(fixture.wait().has_value());
  CHECK(test::all_gone(workers, promptly));
}

TEST_CASE("given stopped workers, when the parent is killed, then all of them end") {
  const std::string mode = GENERATE("idle", "busy", "sleeping");
  INFO(mode);
  test::program fixture{{mode}};
  bring_about(fixture, mode);
  const auto workers = fixture.workers();
  REQUIRE(workers.size() == 3);
  for (const pid_t each : workers) ::kill(each, SIGSTOP);
  for (const pid_t each : workers) {
    REQUIRE(test::eventually([&] { return test::status_of(each).state == 'T'; }));
  }
  fixture.signal(SIGKILL);
  CHECK(fixture.wait().has_value());
  CHECK(test::all_gone(workers, promptly));
}

TEST_CASE("given workers that are starting, when the parent is killed, then all of them end") {
  for (int round = 0; round < 10; ++round) {
    test::program fixture{{"starting"}};
    fixture.expect("made");
    std::vector<pid_t> workers;
    const auto some = static_cast<std::size_t>(1 + round);
    REQUIRE(test::eventually([&] {
      workers = fixture.workers();
      return workers.size() >= some;
    }));
    fixture.signal(SIGKILL);
    fixture.wait();
    CHECK(test::all_gone(workers, promptly));
    // Those that came after the look hold the output, too.
    CHECK(fixture.rest_of_output().empty());
  }
}

TEST_CASE(
    "given a process that the parent forked, when the parent is killed, then the workers end") {
  const std::string mode = GENERATE("forked_idle", "forked_busy");
  INFO(mode);
  // The signal of the second means has a handler, which a task that only computes must let in.
  if (mode == "forked_busy" && test::late_signal_handlers) return;
  test::program fixture{{mode}};
  const pid_t holder = holder_of(fixture);
  if (mode == "forked_idle") {
    fixture.expect("ready");
  } else {
    fixture.expect("begun", 3);
  }
  auto workers = fixture.workers();
  std::erase(workers, holder);
  REQUIRE(workers.size() == 3);
  fixture.signal(SIGKILL);
  CHECK(fixture.wait().has_value());
  CHECK(test::all_gone(workers, promptly));
  CHECK(!test::gone(holder));
  ::kill(holder, SIGKILL);
}

TEST_CASE("given a thread that has started the workers, when it ends, then they go on") {
  test::program fixture{{"other_thread"}};
  CHECK(fixture.line() == "served 3");
  CHECK(fixture.line() == "crashed 0");
  const auto workers = fixture.workers();
  CHECK(workers.size() == 3);
  fixture.signal(SIGKILL);
  fixture.wait();
  CHECK(test::all_gone(workers, promptly));
}

TEST_CASE("given a pool that main leaves alive, when it returns, then all workers end with it") {
  const std::string mode = GENERATE("in_a_static", "in_a_static_after_its_loop", "leaked");
  INFO(mode);
  test::program fixture{{mode}};
  fixture.expect("begun", mode == "leaked" ? 1 : 3);
  const auto workers = fixture.workers();
  CHECK(workers.size() == 3);
  fixture.say("go on");
  CHECK(fixture.exit_code() == (mode == "leaked" ? 5 : 0));
  CHECK(test::all_gone(workers, promptly));
  CHECK(fixture.rest_of_error().empty());
}

// ---- Ctrl-C -----------------------------------------------------------------------------------

TEST_CASE("given workers in any state, when Ctrl-C is pressed, then all end, without a word") {
  const std::string mode = GENERATE("idle", "busy", "sleeping");
  INFO(mode);
  test::program fixture{{mode}};
  bring_about(fixture, mode);
  const auto workers = fixture.workers();
  REQUIRE(workers.size() == 3);
  fixture.signal_group(SIGINT);
  CHECK(killed_by(fixture.wait(1s), SIGINT));
  CHECK(test::all_gone(workers, promptly));
  CHECK(fixture.rest_of_error().empty());
}

TEST_CASE("given workers that are starting, when Ctrl-C is pressed, then all end, without a word") {
  for (int round = 0; round < 5; ++round) {
    test::program fixture{{"starting"}};
    fixture.expect("made");
    const auto some = static_cast<std::size_t>(3 * round);
    REQUIRE(test::eventually([&] { return fixture.workers().size() >= some; }));
    fixture.signal_group(SIGINT);
    CHECK(killed_by(fixture.wait(1s), SIGINT));
    // To their end means: until the last process that holds them is gone.
    CHECK(fixture.rest_of_output().empty());
    CHECK(fixture.rest_of_error().empty());
  }
}

TEST_CASE("given a parent that handles Ctrl-C, when it is pressed, then its workers go on") {
  test::program fixture{{"interrupts"}};
  for (int round = 0; round < 2; ++round) {
    fixture.expect("ready");
    fixture.signal_group(SIGINT);
    CHECK(fixture.line() == "interrupted 0");
  }
  CHECK(fixture.exit_code() == 0);
  CHECK(fixture.rest_of_error().empty());
}
