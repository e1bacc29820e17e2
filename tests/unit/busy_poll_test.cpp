// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <chrono>
#include <utility>

#include <catch2/catch.hpp>

#include "channel/busy_poll.hpp"
#include "timing/timing.hpp"

namespace {

namespace timing = coterie::detail::timing;
using namespace std::chrono_literals;

using coterie::detail::busy_poll;

/// One side of a channel, and the time, which goes on by itself each time that it is read.
struct polling_side {
  explicit polling_side(std::chrono::nanoseconds limit) : poll{limit} {}

  busy_poll::time_point now() { return time += 1us; }
  bool begin() { return poll.begin(now()); }
  bool over() { return poll.over(now()); }
  template <class Found>
  bool poll_for(std::chrono::nanoseconds turn, Found found) {
    return poll.poll(turn, [this] { return now(); }, found);
  }
  /// How long a whole poll takes that finds nothing.
  std::chrono::nanoseconds poll_for_nothing() {
    const auto before = time;
    CHECK_FALSE(poll_for(poll.limit(), [] { return false; }));
    return time - before;
  }

  busy_poll poll;
  busy_poll::time_point time{1h};
};

bool never() { return false; }

}  // namespace

TEST_CASE("given no time to poll, when asked, then no poll begins") {
  polling_side side{0ns};
  CHECK_FALSE(side.begin());
}

TEST_CASE("given time to poll, when nothing comes, then it is over after that time") {
  polling_side side{50us};
  REQUIRE(side.begin());
  CHECK_FALSE(side.over());
  const auto took = side.poll_for_nothing();
  // The clock goes on by a microsecond each time that it is read.
  CHECK(took >= 47us);
  CHECK(took <= 53us);
  CHECK(side.over());
}

TEST_CASE("given time to poll, when something comes, then it is found at once") {
  polling_side side{50us};
  REQUIRE(side.begin());
  int looks = 0;
  CHECK(side.poll_for(50us, [&] { return ++looks == 3; }));
  CHECK(looks == 3);
  CHECK_FALSE(side.over());
}

TEST_CASE("given short turns, when nothing comes, then each ends in time and they go on") {
  polling_side side{50us};
  REQUIRE(side.begin());
  int turns = 0;
  for (; !side.over(); ++turns) CHECK_FALSE(side.poll_for(4us, never));
  CHECK(turns >= 5);
  CHECK(turns <= 13);
}

TEST_CASE(
    "given unsuccessful polls, when there were a few, then a pause follows, each twice as long") {
  polling_side side{50us};
  for (int polls = 0; polls < busy_poll::patience; ++polls) {
    REQUIRE(side.begin());
    side.poll_for_nothing();
  }
  auto pause = timing::first_poll_rest;
  for (int pauses = 0; pauses < 10; ++pauses) {
    CHECK_FALSE(side.begin());
    side.time += pause - 1ms;
    CHECK_FALSE(side.begin());
    side.time += 1ms;
    REQUIRE(side.begin());
    side.poll_for_nothing();
    pause = std::min(2 * pause, timing::longest_poll_rest);
  }
}

TEST_CASE(
    "given pauses that have become long, when something is found, then they are short again") {
  polling_side side{50us};
  for (int pauses = 0; pauses < 5; ++pauses) {
    while (side.begin()) side.poll_for_nothing();
    side.time += timing::longest_poll_rest;
  }
  REQUIRE(side.begin());
  CHECK(side.poll_for(50us, [] { return true; }));
  for (int polls = 0; polls < busy_poll::patience; ++polls) {
    REQUIRE(side.begin());
    side.poll_for_nothing();
  }
  CHECK_FALSE(side.begin());
  side.time += timing::first_poll_rest;
  CHECK(side.begin());
}

TEST_CASE(
    "given a poll, when the side is preempted, then it is over at once, and a pause follows") {
  for (const bool came : {false, true}) {
    polling_side side{1ms};
    REQUIRE(side.begin());
    bool away = false;
    const bool found = side.poll_for(1ms, [&] {
      if (!away) side.time += 250us;  // and then others had their turn
      return std::exchange(away, true) && came;
    });
    CHECK(found == came);
    if (came) continue;
    CHECK(side.over());
    CHECK_FALSE(side.begin());
    side.time += timing::first_poll_rest;
    CHECK(side.begin());
  }
}
