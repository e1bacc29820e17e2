// SPDX-License-Identifier: BSL-1.0

// Which worker gets which items. How workers start and leave: scheduler_workers_test.cpp.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <coterie/detail/byte_buffer.hpp>

#include "scheduler_desk.hpp"
#include "timing/timing.hpp"

namespace {

namespace timing = coterie::detail::timing;
namespace action = coterie::detail::action;
using coterie::detail::byte_buffer;
using coterie::detail::chunk_sizer;
using coterie::detail::giving;
using coterie::detail::job_table;
using namespace std::chrono_literals;

constexpr std::size_t endless = 1'000'000'000;

}  // namespace

TEST_CASE("given a new scheduler, when it is asked, then it starts every worker and nothing else") {
  scheduler_desk desk{3};
  for (int rank = 0; rank < 3; ++rank) CHECK(desk.rank_of(desk.take<action::spawn>()) == rank);
  desk.nothing();
  CHECK(desk.it.workers_ready() == 0);
  CHECK_FALSE(desk.it.next_deadline().has_value());
}

TEST_CASE("given a job before any worker, when one becomes ready, then it gets the first items") {
  scheduler_desk desk{2};
  desk.add(7, 3);
  CHECK(desk.rank_of(desk.take<action::spawn>()) == 0);
  CHECK(desk.rank_of(desk.take<action::spawn>()) == 1);
  desk.nothing();
  desk.started(1, desk.now);
  desk.nothing();
  desk.ready(1);
  const auto first = desk.take<action::cut>();
  CHECK(desk.rank_of(first) == 1);
  CHECK(first.job == 7);
  CHECK(first.max == 3);
}

TEST_CASE("given one busy worker, when an apply comes amid a map, then it is next") {
  scheduler_desk desk{1};
  desk.start_all();
  desk.add(1);
  for (int chunk = 0; chunk < 5; ++chunk) desk.run(0, desk.cut().chunk);
  const auto running = desk.cut();
  desk.add(2);
  desk.nothing();
  desk.run(0, running.chunk);
  const auto apply = desk.cut(1, true);
  CHECK(apply.job == 2);
  desk.run(0, apply.chunk);
  CHECK(desk.take<action::finish>().job == 2);
  CHECK(desk.cut().job == 1);
}

TEST_CASE("given one busy worker, when more applies come than it can serve, then a map gets on") {
  scheduler_desk desk{1};
  desk.start_all();
  desk.add(1);
  coterie::detail::job_id last = 1;
  std::vector<coterie::detail::job_id> order;
  while (order.size() < 9) {
    const auto running = desk.take<action::cut>();
    const bool is_apply = running.job != 1;
    desk.it.cut_done(running.chunk, 1, is_apply);
    order.push_back(running.job);
    desk.add(++last);
    desk.run(0, running.chunk);
    if (is_apply) CHECK(desk.take<action::finish>().job == running.job);
  }
  CHECK(order == std::vector<coterie::detail::job_id>{1, 2, 1, 3, 4, 1, 5, 6, 7});
}

TEST_CASE(
    "given a map on every worker, when an apply comes, then the first that is free takes it") {
  scheduler_desk desk{3};
  desk.start_all();
  desk.add(1);
  desk.cut();
  const auto ends_first = desk.cut();
  desk.cut();
  desk.add(2);
  desk.nothing();
  desk.run(desk.rank_of(ends_first), ends_first.chunk);
  const auto apply = desk.cut(1, true);
  CHECK(apply.job == 2);
  CHECK(desk.rank_of(apply) == desk.rank_of(ends_first));
}

TEST_CASE("given short items, when an apply comes, then a worker drains and is free for it") {
  scheduler_desk desk{2};
  desk.start_all();
  desk.add(1);
  const auto first = desk.cut();
  const auto second = desk.cut();
  desk.run(desk.rank_of(first), first.chunk, 1, 1us);
  desk.run(desk.rank_of(second), second.chunk, 1, 1us);
  std::vector<coterie::detail::chunk_id> held;
  while (const auto next = desk.next()) {
    const auto asked = std::get<action::cut>(*next);
    desk.it.cut_done(asked.chunk, 1, false);
    if (desk.rank_of(asked) == 0) held.push_back(asked.chunk);
  }
  REQUIRE(held.size() > 1);
  desk.add(2);
  for (const auto chunk : held) {
    desk.nothing();  // room for more of the first job, but it is the second one's turn
    desk.run(0, chunk, 1, 1us);
  }
  const auto apply = desk.cut(1, true);
  CHECK(apply.job == 2);
  CHECK(desk.rank_of(apply) == 0);
}

TEST_CASE("given two jobs and many workers, when they are given out, then they share evenly") {
  scheduler_desk desk{6};
  desk.start_all();
  desk.add(1);
  desk.add(2);
  std::size_t chunks[3] = {};
  for (int rank = 0; rank < 6; ++rank) ++chunks[desk.cut().job];
  desk.nothing();
  CHECK(chunks[1] == 3);
  CHECK(chunks[2] == 3);
}

TEST_CASE("given jobs with as many chunks under way, when one is chosen, then they take turns") {
  scheduler_desk desk{1};
  desk.start_all();
  desk.add(1);
  desk.add(2);
  desk.add(3);
  std::vector<coterie::detail::job_id> order;
  for (int turn = 0; turn < 6; ++turn) {
    const auto next = desk.cut();
    order.push_back(next.job);
    desk.run(0, next.chunk);
  }
  CHECK(order == std::vector<coterie::detail::job_id>{1, 2, 3, 1, 2, 3});
}

TEST_CASE(
    "given a free worker and a busy one, when items are given out, then the free one is first") {
  scheduler_desk desk{2};
  desk.start_all();
  desk.add(1);
  const auto first = desk.cut();
  const auto second = desk.cut();
  CHECK(desk.rank_of(first) != desk.rank_of(second));
  desk.nothing();  // nothing is known of the items' time yet: no worker holds two
  desk.run(desk.rank_of(first), first.chunk, 1, 1us);
  CHECK(desk.rank_of(desk.cut()) == desk.rank_of(first));
}

TEST_CASE("given long items, when a worker runs one, then it holds no other") {
  scheduler_desk desk{1};
  desk.start_all();
  desk.add(1);
  desk.run(0, desk.cut().chunk, 1, timing::prefetch);
  desk.cut();
  desk.nothing();
}

TEST_CASE("given items that end soon, when a worker runs one, then it holds one more") {
  scheduler_desk desk{1};
  desk.start_all();
  desk.add(1);
  desk.run(0, desk.cut().chunk, 1, timing::prefetch - 1us);
  desk.cut();
  desk.cut();
  desk.nothing();
}

TEST_CASE("given short items, when a worker runs them, then several chunks travel together") {
  scheduler_desk desk{1};
  desk.start_all();
  desk.add(1, 3);
  const auto chunk_time = timing::longest_together / 10;
  std::vector<std::size_t> sizes;
  while (sizes.size() < 6) {
    const auto next = desk.cut();
    sizes.push_back(next.max);
    desk.run(0, next.chunk, next.max, chunk_time * next.max / 3);
  }
  CHECK(sizes == std::vector<std::size_t>{3, 6, 12, 24, 30, 30});
}

TEST_CASE("given two workers, when one item was quick, then none holds a second one yet") {
  scheduler_desk desk{2};
  desk.start_all();
  desk.add(1);
  const auto quick = desk.cut();
  const auto slow = desk.cut();
  desk.run(desk.rank_of(quick), quick.chunk, 1, 20ns);
  const auto next = desk.cut();
  CHECK(desk.rank_of(next) == desk.rank_of(quick));
  desk.nothing();
  // Both have been quick: now each may hold one more.
  desk.run(desk.rank_of(slow), slow.chunk, 1, 20ns);
  CHECK(desk.rank_of(desk.cut()) == desk.rank_of(slow));
  CHECK(desk.rank_of(desk.cut()) == desk.rank_of(slow));
  desk.nothing();
}

TEST_CASE("given workers that start, when one is ready and quick, then the others find work left") {
  scheduler_desk desk{2};
  desk.take<action::spawn>();
  desk.take<action::spawn>();
  for (const int rank : {0, 1}) desk.started(rank, desk.now);
  desk.ready(0);
  desk.add(1);
  desk.run(0, desk.cut(1).chunk, 1, 20ns);
  desk.cut(1);
  desk.nothing();
  desk.ready(1);
  CHECK(desk.rank_of(desk.cut(1, true)) == 1);
}

TEST_CASE("given items that take no time, when a worker holds some, then there is a limit") {
  scheduler_desk desk{1};
  desk.start_all();
  desk.add(1);
  for (int chunk = 0; chunk < 20; ++chunk) {
    const auto next = desk.cut();
    desk.run(0, next.chunk, next.max, 0ns);
  }
  for (std::size_t held = 0; held < giving::max_held; ++held) {
    CHECK(desk.cut().max == chunk_sizer::most_together);
  }
  desk.nothing();
}

TEST_CASE("given automatic chunks, when items are measured, then chunks grow towards their time") {
  scheduler_desk desk{1};
  desk.start_all();
  desk.add(1, 0);
  std::vector<std::size_t> sizes;
  while (sizes.size() < 6) {
    const auto next = desk.cut();
    sizes.push_back(next.max);
    desk.run(0, next.chunk, next.max, 10us * next.max);
  }
  CHECK(sizes == std::vector<std::size_t>{1, 2, 4, 8, 13, 13});
}

TEST_CASE("given a window, when it is full, then nothing is cut until an item is finished") {
  scheduler_desk desk{4};
  desk.start_all();
  desk.add(1, 2, 3);
  const auto first = desk.take<action::cut>();
  CHECK(first.max == 2);
  desk.it.cut_done(first.chunk, 2, false);
  const auto second = desk.take<action::cut>();
  CHECK(second.max == 1);
  desk.it.cut_done(second.chunk, 1, false);
  desk.nothing();
  REQUIRE(desk.items_done(desk.rank_of(first), first.chunk, 1));
  CHECK(desk.take<action::cut>().max == 1);
}

TEST_CASE("given results that are held, when they are finished, then only consumption makes room") {
  scheduler_desk desk{2};
  desk.start_all();
  desk.add(1, 1, 2, true);
  const auto first = desk.cut();
  const auto second = desk.cut();
  desk.run(desk.rank_of(first), first.chunk);
  desk.run(desk.rank_of(second), second.chunk);
  desk.nothing();
  desk.it.consumed(1, 1);
  desk.cut();
  desk.nothing();
  desk.it.consumed(1, endless);  // more than was taken is no reason to take more
  desk.cut();
  desk.nothing();
  desk.it.consumed(99, 1);  // a job that has ended
}

TEST_CASE("given an automatic window, when results are held, then it is bounded; else it is not") {
  for (const bool held : {true, false}) {
    scheduler_desk desk{1};
    desk.start_all();
    desk.add(1, 1, 0, held);
    std::size_t taken = 0;
    while (taken < 10 * job_table::min_window) {
      const auto next = desk.next();
      if (!next) break;
      const auto asked = std::get<action::cut>(*next);
      desk.it.cut_done(asked.chunk, 1, false);
      desk.run(0, asked.chunk);
      ++taken;
    }
    CHECK(taken == (held ? 1 : 10) * job_table::min_window);
  }
}

TEST_CASE("given an automatic window, when chunks grow, then it follows them up to a bound") {
  scheduler_desk desk{1};
  desk.start_all();
  desk.add(1, 0, 0, true);
  std::size_t taken = 0;
  while (const auto next = desk.next()) {
    const auto asked = std::get<action::cut>(*next);
    REQUIRE(asked.max > 0);
    desk.it.cut_done(asked.chunk, asked.max, false);
    desk.run(0, asked.chunk, asked.max, 0ns);
    taken += asked.max;
    REQUIRE(taken <= job_table::max_window_each);
  }
  CHECK(taken == job_table::max_window_each);
}

TEST_CASE("given an input that has ended, when a cut finds nothing, then the job finishes") {
  scheduler_desk desk{1};
  desk.start_all();
  desk.add(1);
  desk.cut(0, true);
  CHECK(desk.take<action::finish>().job == 1);
  CHECK_FALSE(desk.it.has_job(1));
  desk.add(2);
  CHECK(desk.rank_of(desk.cut()) == 0);  // a worker that got nothing is free
}

TEST_CASE("given items under way, when a cut finds nothing, then the job finishes after them") {
  scheduler_desk desk{2};
  desk.start_all();
  desk.add(1);
  const auto first = desk.cut();
  desk.cut(0, true);
  desk.nothing();
  REQUIRE(desk.items_done(desk.rank_of(first), first.chunk, 1));
  CHECK(desk.take<action::finish>().job == 1);
  REQUIRE(desk.chunk_done(desk.rank_of(first), first.chunk, 1s));
  desk.nothing();
}

TEST_CASE("given a worker's lies about items, when they are told, then they are not believed") {
  scheduler_desk desk{2};
  CHECK_FALSE(desk.items_done(0, 1, 1));
  desk.start_all();
  CHECK_FALSE(desk.items_done(0, 1, 1));
  CHECK_FALSE(desk.chunk_done(0, 1, 1s));
  desk.add(1, 3);
  const auto mine = desk.cut();
  const auto others = desk.cut();
  CHECK_FALSE(desk.items_done(desk.rank_of(mine), others.chunk, 1));
  CHECK_FALSE(desk.chunk_done(desk.rank_of(mine), others.chunk, 1s));
  CHECK_FALSE(desk.items_done(desk.rank_of(mine), 0, 1));
  CHECK_FALSE(desk.items_done(desk.rank_of(mine), mine.chunk, 4));
  CHECK_FALSE(desk.items_done(desk.rank_of(mine), mine.chunk, ~std::size_t{0}));
  REQUIRE(desk.items_done(desk.rank_of(mine), mine.chunk, 2));
  CHECK_FALSE(desk.items_done(desk.rank_of(mine), mine.chunk, 2));
  CHECK_FALSE(desk.chunk_done(desk.rank_of(mine), mine.chunk, 1s));
  REQUIRE(desk.items_done(desk.rank_of(mine), mine.chunk, 1));
  REQUIRE(desk.chunk_done(desk.rank_of(mine), mine.chunk, 1s));
  CHECK_FALSE(desk.chunk_done(desk.rank_of(mine), mine.chunk, 1s));
}

TEST_CASE("given a job that is dropped, when its chunk runs on, then the worker is free after it") {
  scheduler_desk desk{1};
  desk.start_all();
  desk.add(1, 4);
  const auto running = desk.cut();
  desk.it.drop_job(1, false);
  desk.add(2);
  desk.nothing();
  CHECK(desk.items_done(0, running.chunk, 1));     // news that was on its way
  REQUIRE(desk.chunk_done(0, running.chunk, 1s));  // the rest was skipped
  CHECK(desk.cut().job == 2);
}

TEST_CASE("given a chunk that is read where it lies, when its job is dropped, its memory is kept") {
  scheduler_desk desk{1};
  desk.start_all();
  desk.add(1, 4);
  const auto running = desk.take<action::cut>();
  auto items = std::make_shared<const byte_buffer>();
  const std::weak_ptr<const byte_buffer> kept = items;
  desk.it.cut_done(running.chunk, 4, true, std::move(items));
  desk.it.drop_job(1, false);
  CHECK_FALSE(kept.expired());  // the worker may still read it
  REQUIRE(desk.chunk_done(0, running.chunk, 1s));
  CHECK(kept.expired());
}

TEST_CASE("given a job that is dropped with kill, when others run too, then only its workers die") {
  scheduler_desk desk{3};
  desk.start_all();
  desk.add(1);
  desk.add(2);
  std::set<int> condemned;
  for (int rank = 0; rank < 3; ++rank) {
    const auto next = desk.cut();
    if (next.job == 1) condemned.insert(desk.rank_of(next));
  }
  REQUIRE(condemned.size() == 2);
  desk.it.drop_job(1, true);
  for (std::size_t count = condemned.size(); count > 0; --count) {
    CHECK(condemned.erase(desk.rank_of(desk.take<action::kill>())) == 1);
  }
  desk.nothing();
  CHECK(desk.it.workers_ready() == 1);
}

TEST_CASE(
    "given a job that is dropped inside its own cut, when the cut is answered, then all is well") {
  scheduler_desk desk{1};
  desk.start_all();
  desk.add(1);
  const auto asked = desk.take<action::cut>();
  desk.it.drop_job(1, false);
  desk.it.cut_done(asked.chunk, 0, true);
  desk.nothing();
  desk.add(2);
  CHECK(desk.cut().job == 2);
}

TEST_CASE("given a name that is taken, when a job is added again, then nothing changes") {
  scheduler_desk desk{1};
  desk.start_all();
  desk.add(1, 5);
  desk.add(1, 9);
  CHECK(desk.cut().max == 5);
  desk.it.drop_job(99, true);
  desk.nothing();
}

TEST_CASE("given sizes beyond all, when items are asked for, then no more than a chunk can have") {
  static constexpr auto beyond = std::numeric_limits<std::size_t>::max();
  static constexpr auto most = coterie::detail::most_items;
  const auto size = GENERATE(std::size_t{beyond}, most + 1, std::size_t{most}, most - 1);
  scheduler_desk desk{1};
  desk.start_all();
  const auto limits = desk.it.add_job(1, {.chunksize = size, .window = beyond});
  CHECK(limits.chunksize == std::min(size, most));
  CHECK(limits.window == most);
  // Neither when more chunks could travel together.
  for (int round = 0; round < 8; ++round) {
    const auto asked = desk.take<action::cut>();
    CHECK(asked.max <= most);
    CHECK(asked.max >= limits.chunksize);
    desk.it.cut_done(asked.chunk, 1, false);
    desk.run(0, asked.chunk, 1, 1ns);
  }
}
