// SPDX-License-Identifier: BSL-1.0

// When workers are started again that ended before they were ready.

#include <chrono>

#include <catch2/catch.hpp>

#include <coterie/pool_options.hpp>

#include "schedule/restart_policy.hpp"
#include "timing/timing.hpp"

namespace {

namespace timing = coterie::detail::timing;
using coterie::detail::restart_policy;
using coterie::detail::start_failure;
using namespace std::chrono_literals;

constexpr restart_policy::time_point start{};

// The policy's own window is the one that programs read of.
static_assert(coterie::detail::restart_limits{}.window == coterie::restart_intensity{}.window);

}  // namespace

TEST_CASE("given no failure, when a start is wanted, then it may be tried") {
  const restart_policy policy{{.starts = 3, .window = 1s}};
  CHECK(policy.may_start());
  CHECK_FALSE(policy.gave_up());
  CHECK_FALSE(policy.retry_at().has_value());
}

TEST_CASE("given failures of the program, when three come in a row, then no more is tried") {
  restart_policy policy{{.starts = 3, .window = 1s}};
  for (int failures = 1; failures < restart_policy::attempts; ++failures) {
    policy.failed(start_failure::of_program, start);
    CHECK(policy.may_start());
  }
  policy.failed(start_failure::of_program, start);
  CHECK(policy.gave_up());
  CHECK_FALSE(policy.may_start());
}

TEST_CASE("given failures of the program, when a start succeeds between, then they do not add up") {
  restart_policy policy{{.starts = 3, .window = 1s}};
  for (int round = 0; round < 10; ++round) {
    policy.failed(start_failure::of_program, start);
    policy.failed(start_failure::of_program, start);
    policy.succeeded();
    CHECK(policy.may_start());
  }
}

TEST_CASE("given starts killed from outside, when each is retried, then waits double to a second") {
  restart_policy policy{{.starts = 1000, .window = 1h}};
  auto now = start;
  auto wait = timing::first_restart_wait;
  for (int round = 0; round < 20; ++round) {
    policy.failed(start_failure::from_outside, now);
    REQUIRE(policy.retry_at().has_value());
    CHECK(*policy.retry_at() == now + wait);
    CHECK_FALSE(policy.may_start());
    CHECK_FALSE(policy.tick(*policy.retry_at() - 1ns));
    now = *policy.retry_at();
    CHECK(policy.tick(now));
    CHECK(policy.may_start());
    wait = std::min(2 * wait, timing::longest_restart_wait);
  }
  CHECK(wait == timing::longest_restart_wait);
}

TEST_CASE(
    "given many workers killed at once, when their ends are heard, then they share one wait") {
  restart_policy policy{{.starts = 1000, .window = 1h}};
  for (int worker = 0; worker < 100; ++worker) policy.failed(start_failure::from_outside, start);
  CHECK(*policy.retry_at() == start + timing::first_restart_wait);
  CHECK(policy.tick(start + timing::first_restart_wait));
  policy.failed(start_failure::from_outside, start);
  CHECK(*policy.retry_at() == start + 2 * timing::first_restart_wait);
}

TEST_CASE(
    "given starts killed from outside, when more than the limit come in time, then it is over") {
  restart_policy policy{{.starts = 3, .window = 1s}};
  auto now = start;
  SECTION("within the window") {
    for (int lost = 0; lost < 4; ++lost) {
      CHECK_FALSE(policy.gave_up());
      policy.failed(start_failure::from_outside, now);
      static_cast<void>(policy.tick(now += 100ms));
    }
    CHECK(policy.gave_up());
    CHECK_FALSE(policy.may_start());
  }
  SECTION("slowly") {
    for (int lost = 0; lost < 100; ++lost) {
      policy.failed(start_failure::from_outside, now);
      CHECK_FALSE(policy.gave_up());
      static_cast<void>(policy.tick(now += 1200ms));
      CHECK(policy.may_start());
    }
  }
  SECTION("with one that succeeds between") {
    for (int lost = 0; lost < 100; ++lost) {
      policy.failed(start_failure::from_outside, now);
      CHECK_FALSE(policy.gave_up());
      policy.succeeded();
      CHECK(policy.may_start());
    }
  }
}

TEST_CASE("given that starts were given up, when others serve, then they are tried after a pause") {
  restart_policy policy{{.starts = 3, .window = 1s}};
  auto now = start;
  auto pause = timing::first_restart_pause;
  for (int round = 0; round < 8; ++round) {
    for (int failures = 0; failures < restart_policy::attempts; ++failures) {
      policy.failed(start_failure::of_program, now);
    }
    policy.pause(now);
    policy.pause(now + 1ms);  // a second one changes nothing
    CHECK(*policy.retry_at() == now + pause);
    now = *policy.retry_at();
    CHECK(policy.tick(now));
    CHECK(policy.may_start());
    pause = std::min(2 * pause, timing::longest_restart_pause);
  }
  CHECK(pause == timing::longest_restart_pause);
}

TEST_CASE("given that starts were given up, when the program asks anew, then they are tried") {
  restart_policy policy{{.starts = 0, .window = 1s}};
  policy.failed(start_failure::from_outside, start);
  CHECK(policy.gave_up());
  CHECK_FALSE(policy.retry_at().has_value());
  policy.begin_anew();
  CHECK(policy.may_start());
}

TEST_CASE(
    "given a start that succeeds, when the next one fails, then waits and pauses begin anew") {
  restart_policy policy{{.starts = 1000, .window = 1h}};
  SECTION("waits") {
    auto now = start;
    for (int round = 0; round < 3; ++round) {
      policy.failed(start_failure::from_outside, now);
      now = *policy.retry_at();
      CHECK(policy.tick(now));
    }
    policy.succeeded();
    policy.failed(start_failure::from_outside, now);
    CHECK(*policy.retry_at() == now + timing::first_restart_wait);
  }
  SECTION("pauses") {
    for (int round = 0; round < 2; ++round) {
      policy.pause(start);
      CHECK(policy.tick(*policy.retry_at()));
    }
    policy.succeeded();
    policy.pause(start);
    CHECK(*policy.retry_at() == start + timing::first_restart_pause);
  }
}

TEST_CASE("given a start that was lost, when the window is just over, then it counts to its end") {
  restart_policy policy{{.starts = 1, .window = 1s}};
  policy.failed(start_failure::from_outside, start);
  SECTION("its last moment") {
    policy.failed(start_failure::from_outside, start + 1s);
    CHECK(policy.gave_up());
  }
  SECTION("the moment after it") {
    policy.failed(start_failure::from_outside, start + 1s + 1ns);
    CHECK_FALSE(policy.gave_up());
  }
}

TEST_CASE("given a wait, when no start is wanted any more, then there is nothing to wait for") {
  restart_policy policy{{.starts = 3, .window = 1s}};
  policy.failed(start_failure::from_outside, start);
  policy.stop_waiting();
  CHECK_FALSE(policy.retry_at().has_value());
  CHECK_FALSE(policy.tick(start + 1h));
  CHECK(policy.may_start());
}
