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

// Goes on by itself with every look at it, and when it is told to.
struct made_up_clock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<made_up_clock>;

  static time_point now() noexcept { return time = time + 1us; }
  static inline time_point time{1h};
};

using side_of_a_link = coterie::detail::basic_busy_poll<made_up_clock>;

bool never() { return false; }

/// How long it looks in all, in vain.
std::chrono::nanoseconds look_in_vain(side_of_a_link& side) {
  const auto before = made_up_clock::time;
  CHECK_FALSE(side.look(side.limit(), never));
  return made_up_clock::time - before;
}

}  // namespace

TEST_CASE("given no time to look, when asked, then it is never begun") {
  side_of_a_link side{0ns};
  CHECK_FALSE(side.begin());
}

TEST_CASE("given time to look, when nothing comes, then it is over after that time") {
  side_of_a_link side{50us};
  REQUIRE(side.begin());
  CHECK_FALSE(side.over());
  const auto took = look_in_vain(side);
  // The clock goes on by a microsecond each time that it is read.
  CHECK(took >= 47us);
  CHECK(took <= 53us);
  CHECK(side.over());
}

TEST_CASE("given time to look, when something comes, then it is found at once") {
  side_of_a_link side{50us};
  REQUIRE(side.begin());
  int looks = 0;
  CHECK(side.look(50us, [&] { return ++looks == 3; }));
  CHECK(looks == 3);
  CHECK_FALSE(side.over());
}

TEST_CASE("given short turns, when nothing comes, then each ends in time and they go on") {
  side_of_a_link side{50us};
  REQUIRE(side.begin());
  int turns = 0;
  for (; !side.over(); ++turns) CHECK_FALSE(side.look(4us, never));
  CHECK(turns >= 5);
  CHECK(turns <= 13);
}

TEST_CASE("given looks in vain, when there were a few, then it rests, and longer each time") {
  side_of_a_link side{50us};
  for (int looks = 0; looks < side_of_a_link::patience; ++looks) {
    REQUIRE(side.begin());
    look_in_vain(side);
  }
  auto rest = timing::first_poll_rest;
  for (int rests = 0; rests < 10; ++rests) {
    CHECK_FALSE(side.begin());
    made_up_clock::time += rest - 1ms;
    CHECK_FALSE(side.begin());
    made_up_clock::time += 1ms;
    REQUIRE(side.begin());
    look_in_vain(side);
    rest = std::min(2 * rest, timing::longest_poll_rest);
  }
}

TEST_CASE("given rests that have become long, when something is found, then all begins again") {
  side_of_a_link side{50us};
  for (int rests = 0; rests < 5; ++rests) {
    while (side.begin()) look_in_vain(side);
    made_up_clock::time += timing::longest_poll_rest;
  }
  REQUIRE(side.begin());
  CHECK(side.look(50us, [] { return true; }));
  for (int looks = 0; looks < side_of_a_link::patience; ++looks) {
    REQUIRE(side.begin());
    look_in_vain(side);
  }
  CHECK_FALSE(side.begin());
  made_up_clock::time += timing::first_poll_rest;
  CHECK(side.begin());
}

TEST_CASE("given another process on the CPU, when looking, then it is over at once, and rests") {
  for (const bool came : {false, true}) {
    side_of_a_link side{1ms};
    REQUIRE(side.begin());
    bool away = false;
    const bool found = side.look(1ms, [&] {
      if (!away) made_up_clock::time += 250us;  // and then others had their turn
      return std::exchange(away, true) && came;
    });
    CHECK(found == came);
    if (came) continue;
    CHECK(side.over());
    CHECK_FALSE(side.begin());
    made_up_clock::time += timing::first_poll_rest;
    CHECK(side.begin());
  }
}
