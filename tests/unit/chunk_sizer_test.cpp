// SPDX-License-Identifier: BSL-1.0
#include <chrono>
#include <cstddef>

#include <catch2/catch.hpp>

#include "schedule/chunk_sizer.hpp"

namespace {

using coterie::detail::chunk_sizer;
using namespace std::chrono_literals;

/// Lets items of this length run, chunk after chunk.
void run(chunk_sizer& sizer, std::chrono::nanoseconds item, int chunks) {
  for (; chunks > 0; --chunks) {
    sizer.measured(sizer.next(), item * static_cast<std::chrono::nanoseconds::rep>(sizer.next()));
  }
}

}  // namespace

TEST_CASE("given a size, when items are measured, then it stays") {
  chunk_sizer sizer{7};
  CHECK_FALSE(sizer.automatic());
  CHECK(sizer.next() == 7);
  run(sizer, 1ns, 10);
  CHECK(sizer.next() == 7);
  CHECK(sizer.item_time() == 1ns);
}

TEST_CASE("given no size, when nothing is known yet, then chunks are single items") {
  const chunk_sizer sizer{0};
  CHECK(sizer.automatic());
  CHECK(sizer.next() == 1);
  CHECK_FALSE(sizer.item_time().has_value());
}

TEST_CASE("given short items, when they are measured, then chunks grow eightfold at most") {
  chunk_sizer sizer{0};
  std::size_t before = sizer.next();
  for (int chunk = 0; chunk < 20; ++chunk) {
    run(sizer, 1ns, 1);
    CHECK(sizer.next() <= before * chunk_sizer::fastest_growth);
    CHECK(sizer.next() >= before);
    before = sizer.next();
  }
  CHECK(before == chunk_sizer::largest);
}

TEST_CASE("given items of one length, when they are measured, then chunks take the wanted time") {
  chunk_sizer sizer{0};
  run(sizer, 10us, 8);
  CHECK(sizer.item_time() == 10us);
  CHECK(sizer.next() == static_cast<std::size_t>(chunk_sizer::target / 10us));
}

TEST_CASE("given long items, when they are measured, then chunks are single items") {
  chunk_sizer sizer{0};
  run(sizer, 1h, 3);
  CHECK(sizer.next() == 1);
  CHECK(sizer.item_time() == 1h);
}

TEST_CASE("given items that become longer, when they are measured, then chunks shrink at once") {
  chunk_sizer sizer{0};
  run(sizer, 1us, 8);
  REQUIRE(sizer.next() == 2000);
  run(sizer, 1ms, 1);
  CHECK(sizer.next() == 3);
  run(sizer, 1ms, 20);
  CHECK(sizer.next() == 2);
}

TEST_CASE("given items that become shorter, when they are measured, then chunks grow again") {
  chunk_sizer sizer{0};
  run(sizer, 1ms, 8);
  REQUIRE(sizer.next() == 2);
  run(sizer, 1us, 60);
  CHECK(sizer.next() > 1900);
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
  sizer.measured(chunk_sizer::largest, std::chrono::nanoseconds::max());
  CHECK(sizer.next() >= 1);
}
