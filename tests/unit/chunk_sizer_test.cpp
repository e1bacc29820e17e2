// SPDX-License-Identifier: BSL-1.0

// How large chunks are. What comes of that in a pool: chunk_rule_test.cpp.

#include <chrono>
#include <cstddef>

#include <catch2/catch.hpp>

#include "schedule/chunk_sizer.hpp"
#include "timing/timing.hpp"

namespace {

namespace timing = coterie::detail::timing;
using coterie::detail::chunk_sizer;
using std::chrono::nanoseconds;
using namespace std::chrono_literals;

/// Lets items of this length run, chunk after chunk, for at least this long.
void run(chunk_sizer& sizer, nanoseconds item, nanoseconds all) {
  while (all > 0ns) {
    const nanoseconds busy = item * static_cast<nanoseconds::rep>(sizer.next());
    sizer.measured(sizer.next(), busy);
    all -= busy;
  }
}

}  // namespace

TEST_CASE("given a size, when items are long, then one chunk travels at a time") {
  chunk_sizer sizer{7};
  CHECK_FALSE(sizer.automatic());
  CHECK(sizer.least() == 7);
  CHECK(sizer.next() == 7);
  run(sizer, timing::longest_together, 1s);
  CHECK(sizer.next() == 7);
  CHECK(sizer.item_time() == timing::longest_together);
}

TEST_CASE(
    "given a size, when items are short, then chunks travel together, twice as many at most") {
  chunk_sizer sizer{7};
  std::size_t chunks = 1;
  while (chunks < 16) {
    CHECK(sizer.next() == 7 * chunks);
    sizer.measured(sizer.next(), timing::longest_together / 20 * chunks);
    chunks *= 2;
  }
  CHECK(sizer.next() == 7 * 16);
  sizer.measured(sizer.next(), timing::longest_together / 20 * 16);
  CHECK(sizer.next() == 7 * 20);
  sizer.measured(7, timing::longest_together);
  CHECK(sizer.next() == 7);
}

TEST_CASE("given a size, when items take no time, then there is a limit to what travels together") {
  chunk_sizer few{3};
  run(few, 1ns, 1ms);
  CHECK(few.next() == 3 * chunk_sizer::most_together);
  chunk_sizer many{chunk_sizer::largest / 4};
  run(many, 1ns, 100ms);
  CHECK(many.next() <= chunk_sizer::largest);
  for (const std::size_t size : {chunk_sizer::largest + 1, ~std::size_t{0}}) {
    chunk_sizer all{size};
    all.measured(1000, 1us);
    CHECK(all.next() == size);
  }
}

TEST_CASE("given no size, when nothing is known yet, then chunks are single items") {
  const chunk_sizer sizer{0};
  CHECK(sizer.automatic());
  CHECK(sizer.next() == 1);
  CHECK_FALSE(sizer.item_time().has_value());
}

TEST_CASE("given short items, when they are measured, then chunks double at most") {
  chunk_sizer sizer{0};
  std::size_t before = sizer.next();
  for (int chunk = 0; chunk < 40; ++chunk) {
    sizer.measured(before, 0ns);
    CHECK(sizer.next() <= before * chunk_sizer::fastest_growth);
    CHECK(sizer.next() >= before);
    before = sizer.next();
  }
  CHECK(before == chunk_sizer::largest);
}

TEST_CASE("given a job that is young, when items are measured, then chunks take the least time") {
  chunk_sizer sizer{0};
  run(sizer, 1us, timing::shortest_chunk);
  run(sizer, 1us, timing::shortest_chunk);
  CHECK(sizer.next() == 125);
}

TEST_CASE("given a job that goes on, when items are measured, then chunks are a part of its time") {
  chunk_sizer alone{0};
  chunk_sizer shared{0, 2};
  alone.measured(10'000, 10ms);
  shared.measured(10'000, 10ms);
  CHECK(alone.next() == 10'000 / chunk_sizer::parts);
  CHECK(shared.next() == 5'000 / chunk_sizer::parts);
}

TEST_CASE("given a job that is old, when items are measured, then chunks take the longest time") {
  chunk_sizer sizer{0};
  run(sizer, 1us, 1s);
  CHECK(sizer.item_time() == 1us);
  CHECK(sizer.next() == 1500);
}

TEST_CASE("given many workers, when items are measured, then chunks spare the parent") {
  chunk_sizer sizer{0, 500};
  run(sizer, 10us, 10ms);
  CHECK(sizer.next() == 500);
  run(sizer, 10us, 500s);
  CHECK(sizer.next() == 1000);
}

TEST_CASE("given items of any time, when a job is old, then its chunks never take less than that") {
  for (const nanoseconds item : {700us, 1400us, 1500us}) {
    chunk_sizer sizer{0};
    run(sizer, item, 1s);
    const auto time = item * static_cast<nanoseconds::rep>(sizer.next());
    CHECK(time >= timing::longest_chunk);
    CHECK(time < timing::longest_chunk + item);
  }
}

TEST_CASE("given long items, when they are measured, then chunks are single items") {
  chunk_sizer sizer{0};
  run(sizer, 1h, 3h);
  CHECK(sizer.next() == 1);
  CHECK(sizer.item_time() == 1h);
}

TEST_CASE("given items that become longer, when they are measured, then chunks shrink at once") {
  chunk_sizer sizer{0};
  run(sizer, 1us, 1s);
  REQUIRE(sizer.next() == 1500);
  run(sizer, 1ms, 1ms);
  CHECK(sizer.next() == 3);
  run(sizer, 1ms, 100ms);
  CHECK(sizer.next() == 2);
}

TEST_CASE("given items that become shorter, when they are measured, then chunks grow again") {
  chunk_sizer sizer{0};
  run(sizer, 1ms, 1s);
  REQUIRE(sizer.next() == 2);
  run(sizer, 1us, 100ms);
  CHECK(sizer.next() == 1500);
}

TEST_CASE("given measurements of nothing, when they come, then they are no harm") {
  chunk_sizer sizer{0};
  sizer.measured(0, 1h);
  CHECK_FALSE(sizer.item_time().has_value());
  sizer.measured(1, 0ns);
  CHECK(sizer.next() == chunk_sizer::fastest_growth);
  CHECK(sizer.item_time() == 0ns);
  sizer.measured(1, -1s);
  CHECK(sizer.next() == chunk_sizer::fastest_growth);
  sizer.measured(~std::size_t{0}, nanoseconds::max());
  CHECK(sizer.next() >= 1);
  for (int times = 0; times < 3; ++times) sizer.measured(1, nanoseconds::max());
  CHECK(sizer.next() == 1);
}
