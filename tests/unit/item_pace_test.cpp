// SPDX-License-Identifier: BSL-1.0
#include <chrono>
#include <cstddef>

#include <catch2/catch.hpp>

#include "timing/timing.hpp"
#include "worker/item_pace.hpp"

namespace {

using namespace coterie::detail;
using namespace std::chrono_literals;

/// A worker whose items take as long as is made up.
struct worker {
  explicit worker(std::chrono::nanoseconds each) : takes{each} { pace.begin_chunk(time); }

  /// Runs as many items as are allowed, and returns how many may run next.
  std::size_t run() {
    pace.grant(allowed);
    time += takes * allowed;
    return allowed = pace.measure(time);
  }

  std::chrono::nanoseconds takes;
  item_pace pace;
  item_pace::time_point time{1h};
  std::size_t allowed = pace.measure(time);
};

}  // namespace

TEST_CASE("given items of which nothing is known, when a chunk begins, then one may run") {
  item_pace pace;
  pace.begin_chunk(item_pace::time_point{1h});
  CHECK(pace.measure(item_pace::time_point{2h}) == 1);
}

TEST_CASE("given quick items, when some have run, then as many may run as take a stride") {
  worker it{1us};
  CHECK(it.run() == 8);  // one that was quick is no proof
  CHECK(it.run() == 50);
  CHECK(it.run() == 50);
}

TEST_CASE("given items that take no time, when many have run, then their number has a limit") {
  worker it{0ns};
  for (int turn = 0; turn < 20; ++turn) it.run();
  CHECK(it.allowed == item_pace::longest_stride);
}

TEST_CASE("given quick items, when they become slow, then one runs at a time") {
  worker it{1us};
  while (it.run() < 50) {
  }
  it.takes = 1ms;
  CHECK(it.run() == 1);
}

TEST_CASE("given a worker that idles, when the next chunk begins, then the pace is still known") {
  worker it{1us};
  while (it.run() < 50) {
  }
  it.pace.grant(50);
  it.time += 1h;
  it.pace.begin_chunk(it.time);
  SECTION("if it is one of the same job") { CHECK(it.pace.measure(it.time + 1us) == 50); }
  SECTION("and if not, then nothing is known") {
    it.pace.forget();
    CHECK(it.pace.measure(it.time + 1us) == 1);
  }
}

TEST_CASE("given a chunk, when time passes, then all of it counts as busy") {
  worker it{1us};
  const auto begun = it.time;
  it.run();
  it.run();
  CHECK(it.pace.busy(it.time + 5us) == it.time + 5us - begun);
}
