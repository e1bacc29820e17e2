// SPDX-License-Identifier: BSL-1.0
#include <chrono>

#include <catch2/catch.hpp>

#include "timing/timing.hpp"
#include "worker/notify_policy.hpp"

namespace {

using namespace coterie::detail;
using namespace std::chrono_literals;

constexpr notify_policy::time_point start{1h};

}  // namespace

TEST_CASE("given what was published, when the parent was notified, then there is no more news") {
  notify_policy policy;
  CHECK_FALSE(policy.has_news());
  policy.published();
  CHECK(policy.has_news());
  policy.notified(GENERATE(false, true));
  CHECK_FALSE(policy.has_news());
  policy.published();
  CHECK(policy.has_news());
}

TEST_CASE("given a flush, when the longest wait has passed, then it is time for the next") {
  const auto longest_wait =
      GENERATE(timing::longest_silence, timing::longest_silence_when_collected);
  notify_policy policy;
  for (int flush = 0; flush < 3; ++flush) {
    const auto now = start + flush * longest_wait;
    policy.flushed(now);
    CHECK_FALSE(policy.must_flush(now, longest_wait, 0));
    CHECK_FALSE(policy.must_flush(now + longest_wait - 1ns, longest_wait, 0));
    CHECK(policy.must_flush(now + longest_wait, longest_wait, 0));
    CHECK(policy.must_flush(now + longest_wait, longest_wait, 0));  // until it is done
  }
}

TEST_CASE("given results of many bytes, when little time has passed, then they are flushed") {
  notify_policy policy;
  policy.flushed(start);
  CHECK_FALSE(policy.must_flush(start, 1h, notify_policy::many_bytes - 1));
  CHECK(policy.must_flush(start, 1h, notify_policy::many_bytes));
}

TEST_CASE("given items that go on, when time passes, then cancellations are checked in turns") {
  notify_policy policy;
  int checks = 0;
  for (auto now = start; now < start + 10 * timing::cancel_check; now += 10us) {
    if (policy.must_check(now)) ++checks;
  }
  CHECK(checks == 10);
}

TEST_CASE("given a parent that was woken, when a stride has passed, then one yield is due") {
  notify_policy policy;
  policy.published();
  policy.notified(true);
  policy.flushed(start);
  CHECK_FALSE(policy.may_yield(start));
  CHECK_FALSE(policy.may_yield(start + timing::stride - 1ns));
  CHECK(policy.may_yield(start + timing::stride));
  CHECK_FALSE(policy.may_yield(start + timing::stride));
  CHECK_FALSE(policy.may_yield(start + 1h));
  policy.published();
  policy.notified(true);
  policy.flushed(start + 1h);
  CHECK(policy.may_yield(start + 2h));
}

TEST_CASE("given a parent that was awake, when time passes, then no yield is due") {
  notify_policy policy;
  policy.published();
  policy.notified(false);
  policy.flushed(start);
  CHECK_FALSE(policy.may_yield(start + 1h));
}

TEST_CASE(
    "given a parent that was woken, when it is awake for the next news, then a yield is due") {
  notify_policy policy;
  for (const bool woken : {true, false}) {
    policy.published();
    policy.notified(woken);
    policy.flushed(start);
  }
  CHECK(policy.may_yield(start + timing::stride));
}
