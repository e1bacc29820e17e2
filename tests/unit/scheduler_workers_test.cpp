// SPDX-License-Identifier: BSL-1.0

// How workers start, die and leave. Which worker gets which items: scheduler_test.cpp.

#include <chrono>
#include <cstddef>
#include <vector>

#include <catch2/catch.hpp>

#include "scheduler_desk.hpp"
#include "timing/timing.hpp"

namespace {

namespace timing = coterie::detail::timing;
namespace action = coterie::detail::action;
using coterie::detail::chunk_id;
using coterie::detail::giving;
using coterie::detail::item_range;
using coterie::detail::ledger;
using coterie::detail::restart_policy;
using coterie::detail::worker_exit;
using namespace std::chrono_literals;

/// Takes a spawn and lets it fail at once.
void fail_start(scheduler_desk& desk) {
  desk.exited(desk.rank_of(desk.take<action::spawn>()), desk.now);
}

/// A pool of two where one worker serves and no other can be started.
scheduler_desk degraded() {
  scheduler_desk desk{2};
  desk.take<action::spawn>();
  desk.take<action::spawn>();
  desk.started(0, desk.now);
  desk.ready(0);
  desk.exited(1, desk.now);
  fail_start(desk);
  fail_start(desk);
  desk.nothing();
  return desk;
}

/// One worker that runs the first of several chunks.
std::vector<chunk_id> hold_several(scheduler_desk& desk) {
  desk.run_alone(3, 50us);
  std::vector<chunk_id> held;
  while (const auto next = desk.next()) {
    held.push_back(std::get<action::cut>(*next).chunk);
    desk.it.cut_done(held.back(), 1, false);
  }
  REQUIRE(held.size() == giving::max_held);
  return held;
}

}  // namespace

TEST_CASE("given several chunks held, when the worker dies, then the first fails, the rest go on") {
  scheduler_desk desk{1};
  desk.start_all();
  desk.add(1);
  const auto held = hold_several(desk);
  desk.exited(0, desk.now);
  const auto lost = desk.take<action::crash>();
  CHECK(desk.rank_of(lost) == 0);
  CHECK(lost.items == item_range{.job = 1, .first = 3, .count = 1});
  CHECK(desk.rank_of(desk.take<action::spawn>()) == 0);
  desk.nothing();
  desk.started(0, desk.now);
  desk.ready(0);
  for (std::size_t index = 1; index < held.size(); ++index) {
    const auto again = desk.take<action::resend>();
    CHECK(desk.rank_of(again) == 0);
    CHECK(again.chunk == held[index]);
  }
}

TEST_CASE("given orphans and an input at its end, when they are done, then the job finishes once") {
  scheduler_desk desk{1};
  desk.start_all();
  desk.add(1);
  desk.run(0, desk.cut().chunk, 1, 150us);
  desk.cut(1);
  const auto second = desk.cut(1, true);
  desk.nothing();
  desk.exited(0, desk.now);
  CHECK(desk.take<action::crash>().items == item_range{.job = 1, .first = 1, .count = 1});
  desk.start_all();
  CHECK(desk.take<action::resend>().chunk == second.chunk);
  desk.nothing();
  REQUIRE(desk.items_done(0, second.chunk, 1));
  CHECK(desk.take<action::finish>().job == 1);
}

TEST_CASE("given orphans, when their job is dropped, then they are not sent again") {
  scheduler_desk desk{1};
  desk.start_all();
  desk.add(1);
  hold_several(desk);
  desk.exited(0, desk.now);
  desk.take<action::crash>();
  desk.it.drop_job(1, false);
  desk.start_all();
  desk.nothing();
}

TEST_CASE(
    "given a chunk, when its worker dies at an item, then that is lost, and the rest goes on") {
  scheduler_desk desk{1};
  desk.start_all();
  desk.add(1, 5);
  const auto only = desk.cut(5, true);
  REQUIRE(desk.items_done(0, only.chunk, 2));
  desk.exited(0, desk.now);
  CHECK(desk.take<action::crash>().items == item_range{.job = 1, .first = 2, .count = 1});
  desk.start_all();
  CHECK(desk.take<action::resend>().chunk == only.chunk);
  REQUIRE(desk.items_done(0, only.chunk, 1));
  desk.exited(0, desk.now);
  CHECK(desk.take<action::crash>().items == item_range{.job = 1, .first = 4, .count = 1});
  CHECK(desk.take<action::finish>().job == 1);
}

TEST_CASE(
    "given a chunk that goes on elsewhere, when it ends, then only what ran there is measured") {
  scheduler_desk desk{1};
  desk.start_all();
  desk.add(1, 0);
  desk.run(0, desk.cut().chunk, 1, 10us);
  const auto both = desk.cut(2);
  REQUIRE(desk.items_done(0, both.chunk, 1));
  desk.exited(0, desk.now, {.begun = 0});
  desk.start_all();
  CHECK(desk.take<action::resend>().chunk == both.chunk);
  desk.cut();
  desk.run(0, both.chunk, 1, 30us);
  // (10 us + 30 us) / 2, in a chunk of 125 us, which may double.
  CHECK(desk.cut().max == 2);
}

TEST_CASE("given a worker that is not believed, when it dies, then all that it held is lost") {
  scheduler_desk desk{1};
  desk.start_all();
  desk.add(1);
  const auto held = hold_several(desk);
  desk.exited(0, desk.now, {.begun = worker_exit::everything});
  for (std::size_t index = 0; index < held.size(); ++index) {
    const auto lost = desk.take<action::crash>();
    CHECK(lost.items == item_range{.job = 1, .first = 3 + index, .count = 1});
  }
  desk.start_all();
  CHECK(desk.take<action::cut>().job == 1);  // nothing of them is sent again
}

TEST_CASE(
    "given a chunk whose arrival ends each worker, when it is sent again, then not for ever") {
  scheduler_desk desk{1};
  desk.start_all();
  desk.add(1, 3);
  const auto only = desk.cut(3, true);
  for (std::size_t loss = 1; loss < ledger::max_losses; ++loss) {
    desk.exited(0, desk.now, {.begun = 0});
    desk.start_all();
    CHECK(desk.take<action::resend>().chunk == only.chunk);
  }
  desk.exited(0, desk.now, {.begun = 0});
  // Its first item is to blame.
  CHECK(desk.take<action::crash>().items == item_range{.job = 1, .first = 0, .count = 1});
  desk.start_all();
  CHECK(desk.take<action::resend>().chunk == only.chunk);
  // The next item begins with none against it.
  desk.exited(0, desk.now, {.begun = 0});
  desk.start_all();
  CHECK(desk.take<action::resend>().chunk == only.chunk);
}

TEST_CASE("given starts killed from outside, when they are tried again, then after a wait") {
  scheduler_desk desk{2};
  desk.add(1);
  for (int round = 0; round < 10; ++round) {
    const int first = desk.rank_of(desk.take<action::spawn>());
    const int second = desk.rank_of(desk.take<action::spawn>());
    for (const int rank : {first, second}) {
      desk.started(rank, desk.now);
      desk.exited(rank, desk.now, {.start = coterie::detail::start_failure::from_outside});
      desk.nothing();
    }
    REQUIRE(desk.it.next_deadline().has_value());
    CHECK(*desk.it.next_deadline() > desk.now);
    desk.it.tick(desk.now);
    desk.nothing();
    desk.now = *desk.it.next_deadline();
    desk.it.tick(desk.now);
  }
  desk.start_all();
  CHECK(desk.take<action::cut>().job == 1);
}

TEST_CASE("given a wait before the next start, when the pool ends, then nothing is waited for") {
  scheduler_desk desk{1};
  desk.started(desk.rank_of(desk.take<action::spawn>()), desk.now);
  desk.exited(0, desk.now, {.start = coterie::detail::start_failure::from_outside});
  SECTION("closed") { desk.it.close(); }
  SECTION("terminated") { desk.it.terminate(); }
  desk.take<action::all_gone>();
  CHECK_FALSE(desk.it.next_deadline().has_value());
}

TEST_CASE("given a worker that may have begun more, when it dies, then as much is lost") {
  scheduler_desk desk{1};
  desk.start_all();
  desk.add(1, 5);
  const auto only = desk.cut(5, true);
  REQUIRE(desk.items_done(0, only.chunk, 1));
  SECTION("several items") {
    desk.exited(0, desk.now, {.begun = 3});
    CHECK(desk.take<action::crash>().items.count == 3);
    desk.start_all();
    CHECK(desk.take<action::resend>().chunk == only.chunk);
  }
  SECTION("all of them") {
    desk.exited(0, desk.now, {.begun = worker_exit::everything});
    CHECK(desk.take<action::crash>().items.count == 4);
    CHECK(desk.take<action::finish>().job == 1);
  }
}

TEST_CASE("given a chunk whose items are all finished, when the worker dies, then none is lost") {
  scheduler_desk desk{1};
  desk.start_all();
  desk.add(1, 2);
  const auto only = desk.cut(2, true);
  REQUIRE(desk.items_done(0, only.chunk, 2));
  CHECK(desk.take<action::finish>().job == 1);
  desk.exited(0, desk.now);
  CHECK(desk.rank_of(desk.take<action::spawn>()) == 0);
  desk.nothing();
}

TEST_CASE("given the last chunk, when its worker dies, then the crash comes before the finish") {
  scheduler_desk desk{1};
  desk.start_all();
  desk.add(1, 2);
  const auto only = desk.cut(2, true);
  REQUIRE(desk.items_done(0, only.chunk, 1));
  desk.exited(0, desk.now);
  CHECK(desk.take<action::crash>().items == item_range{.job = 1, .first = 1, .count = 1});
  CHECK(desk.take<action::finish>().job == 1);
}

TEST_CASE(
    "given a worker that lies, when it is condemned, then it is killed once and gets no work") {
  scheduler_desk desk{1};
  desk.condemn(0);  // there is no process yet
  desk.start_all();
  desk.condemn(0);
  desk.condemn(0);
  desk.add(1);
  CHECK(desk.rank_of(desk.take<action::kill>()) == 0);
  desk.nothing();
  desk.exited(0, desk.now);
  desk.start_all();
  CHECK(desk.cut().job == 1);
}

TEST_CASE("given three failed starts in a row, when no worker lives, then all is given up") {
  scheduler_desk desk{1};
  desk.add(1);
  desk.add(2);
  fail_start(desk);
  fail_start(desk);
  CHECK(desk.it.has_job(1));
  fail_start(desk);
  desk.take<action::give_up>();
  desk.nothing();
  CHECK_FALSE(desk.it.has_job(1));
  CHECK_FALSE(desk.it.has_job(2));
}

TEST_CASE(
    "given starts that fail before and after the process is there, when counted, then both do") {
  scheduler_desk desk{1};
  fail_start(desk);
  desk.started(desk.rank_of(desk.take<action::spawn>()), desk.now);
  desk.exited(0, desk.now);
  fail_start(desk);
  desk.take<action::give_up>();
}

TEST_CASE(
    "given a start that succeeds, when others had failed before, then the count begins anew") {
  scheduler_desk desk{1};
  for (int round = 0; round < 3; ++round) {
    fail_start(desk);
    fail_start(desk);
    desk.start_all();
    desk.exited(0, desk.now);
  }
  desk.start_all();
  CHECK(desk.it.workers_ready() == 1);
}

TEST_CASE("given a pool that has given up, when a job comes, then it tries again") {
  scheduler_desk desk{2};
  fail_start(desk);
  fail_start(desk);
  fail_start(desk);
  fail_start(desk);
  desk.take<action::give_up>();
  desk.nothing();
  desk.add(1);
  desk.start_all();
  CHECK(desk.it.workers_ready() == 2);
  CHECK(desk.cut().job == 1);
}

TEST_CASE("given a pool that has given up, when it is closed, then all are gone") {
  scheduler_desk desk{1};
  for (int start = 0; start < 3; ++start) fail_start(desk);
  desk.take<action::give_up>();
  desk.it.close();
  desk.take<action::all_gone>();
  CHECK(desk.it.gone());
}

TEST_CASE("given a degraded pool, when time passes, then it tries again, each time later") {
  scheduler_desk desk = degraded();
  auto delay = timing::first_restart_pause;
  for (int round = 0; round < 8; ++round) {
    REQUIRE(desk.it.next_deadline() == desk.now + delay);
    desk.it.tick(desk.now + delay - 1ns);
    desk.nothing();
    desk.now += delay;
    desk.it.tick(desk.now);
    for (int start = 0; start < restart_policy::attempts; ++start) fail_start(desk);
    desk.nothing();
    delay = std::min(2 * delay, timing::longest_restart_pause);
  }
  CHECK(delay == timing::longest_restart_pause);
}

TEST_CASE("given a degraded pool, when a start succeeds, then every rank is filled again") {
  scheduler_desk desk = degraded();
  desk.now = *desk.it.next_deadline();
  desk.it.tick(desk.now);
  desk.start_all();
  CHECK(desk.it.workers_ready() == 2);
  CHECK_FALSE(desk.it.next_deadline().has_value());
}

TEST_CASE(
    "given a degraded pool with work, when its last worker dies, then starts are tried again") {
  scheduler_desk desk = degraded();
  desk.add(1);
  desk.cut();
  desk.exited(0, desk.now);
  CHECK(desk.take<action::crash>().items.count == 1);
  fail_start(desk);
  CHECK(desk.it.has_job(1));
}

TEST_CASE("given a degraded pool, when it ends, then nothing is waited for") {
  scheduler_desk desk = degraded();
  SECTION("by close") {
    desk.it.close();
    desk.take<action::stop>();
    desk.exited(0, desk.now);
  }
  SECTION("by terminate") {
    desk.it.terminate();
    desk.take<action::kill>();
    desk.exited(0, desk.now);
  }
  desk.take<action::all_gone>();
  CHECK_FALSE(desk.it.next_deadline().has_value());
}

TEST_CASE("given a start timeout, when a worker is too slow, then it is killed and has failed") {
  scheduler_desk desk{1, 10s};
  for (int start = 0; start < restart_policy::attempts; ++start) {
    desk.started(desk.rank_of(desk.take<action::spawn>()), desk.now);
    REQUIRE(desk.it.next_deadline() == desk.now + 10s);
    desk.it.tick(desk.now + 9s);
    desk.nothing();
    desk.now += 10s;
    desk.it.tick(desk.now);
    CHECK(desk.rank_of(desk.take<action::kill>()) == 0);
    CHECK_FALSE(desk.it.next_deadline().has_value());
    desk.ready(0);  // too late
    CHECK(desk.it.workers_ready() == 0);
    desk.exited(0, desk.now);
  }
  desk.take<action::give_up>();
}

TEST_CASE("given a start timeout, when the worker is in time, then there is nothing to wait for") {
  scheduler_desk desk{1, 10s};
  desk.start_all();
  CHECK_FALSE(desk.it.next_deadline().has_value());
  desk.it.tick(desk.now + 1h);
  desk.nothing();
}

TEST_CASE("given no start timeout, when starting workers are condemned, then all is given up") {
  scheduler_desk desk{1};
  desk.add(1);
  for (int start = 0; start < restart_policy::attempts; ++start) {
    desk.started(desk.rank_of(desk.take<action::spawn>()), desk.now);
    desk.condemn(0);
    CHECK(desk.rank_of(desk.take<action::kill>()) == 0);
    desk.exited(0, desk.now);
  }
  desk.take<action::give_up>();
}

TEST_CASE(
    "given a pool at rest, when it is closed, then everybody is asked to leave, and then gone") {
  scheduler_desk desk{2};
  desk.start_all();
  desk.it.close();
  desk.it.close();
  CHECK(desk.rank_of(desk.take<action::stop>()) == 0);
  CHECK(desk.rank_of(desk.take<action::stop>()) == 1);
  desk.nothing();
  desk.exited(1, desk.now);
  desk.nothing();
  desk.exited(0, desk.now);
  desk.take<action::all_gone>();
  desk.nothing();
  CHECK(desk.it.gone());
}

TEST_CASE("given work, when the pool is closed, then everybody stays until it is done") {
  scheduler_desk desk{2};
  desk.start_all();
  desk.add(1);
  const auto first = desk.cut();
  const auto second = desk.cut(1, true);
  desk.it.close();
  desk.nothing();
  desk.exited(desk.rank_of(first), desk.now);
  CHECK(desk.take<action::crash>().items.count == 1);
  CHECK(desk.rank_of(desk.take<action::spawn>()) == desk.rank_of(first));
  desk.run(desk.rank_of(second), second.chunk);
  CHECK(desk.take<action::finish>().job == 1);
  CHECK(desk.rank_of(desk.take<action::stop>()) == desk.rank_of(second));
  CHECK_FALSE(desk.wants(desk.rank_of(first)));
  desk.exited(desk.rank_of(second), desk.now);
  desk.take<action::all_gone>();
}

TEST_CASE("given workers that are not there yet, when the pool is closed, then they do not come") {
  scheduler_desk desk{2};
  desk.started(desk.rank_of(desk.take<action::spawn>()), desk.now);
  desk.take<action::spawn>();
  desk.it.close();
  CHECK_FALSE(desk.wants(1));
  desk.nothing();
  desk.ready(0);
  CHECK(desk.rank_of(desk.take<action::stop>()) == 0);
  desk.exited(0, desk.now);
  desk.take<action::all_gone>();
}

TEST_CASE("given a closed pool, when the last item dies with its worker, then no other is asked") {
  scheduler_desk desk{1};
  desk.start_all();
  desk.add(1);
  desk.cut(1, true);
  desk.it.close();
  desk.exited(0, desk.now);
  CHECK(desk.take<action::crash>().items.count == 1);
  CHECK(desk.take<action::finish>().job == 1);
  desk.take<action::all_gone>();  // and no `stop` for a worker that is not there
  desk.nothing();
}

TEST_CASE(
    "given workers in every state, when the pool is terminated, then those there are killed") {
  scheduler_desk desk{3};
  desk.started(desk.rank_of(desk.take<action::spawn>()), desk.now);
  desk.ready(0);
  desk.started(desk.rank_of(desk.take<action::spawn>()), desk.now);
  desk.take<action::spawn>();
  desk.add(1);
  const auto running = desk.cut();
  desk.it.terminate();
  desk.it.terminate();
  CHECK(desk.rank_of(desk.take<action::kill>()) == 0);
  CHECK(desk.rank_of(desk.take<action::kill>()) == 1);
  desk.nothing();
  CHECK_FALSE(desk.it.has_job(1));
  CHECK_FALSE(desk.wants(2));
  CHECK_FALSE(desk.items_done(0, running.chunk, 1));
  desk.exited(0, desk.now);
  desk.exited(1, desk.now);
  desk.take<action::all_gone>();
  desk.nothing();
}

TEST_CASE("given what is still to be done, when the pool is terminated, then kills stay due") {
  scheduler_desk desk{1};
  desk.start_all();
  desk.condemn(0);
  desk.it.terminate();
  CHECK(desk.rank_of(desk.take<action::kill>()) == 0);
  desk.exited(0, desk.now);
  desk.it.terminate();
  desk.take<action::all_gone>();
  desk.nothing();
}

TEST_CASE(
    "given a closed pool, when a worker dies of its last item, then it is not told to leave") {
  scheduler_desk desk{2};
  desk.start_all();
  desk.add(1);
  const auto last = desk.cut(1, true);
  desk.nothing();
  desk.it.close();
  // Its results come with the news of its end.
  REQUIRE(desk.items_done(desk.rank_of(last), last.chunk, 1));
  desk.exited(desk.rank_of(last), desk.now, {.begun = 0});
  CHECK(desk.take<action::finish>().job == 1);
  CHECK(desk.rank_of(desk.take<action::stop>()) == 1 - desk.rank_of(last));
  desk.nothing();
}

TEST_CASE("given a worker that has to die, when it dies before, then the next one lives") {
  scheduler_desk desk{1};
  desk.start_all();
  desk.condemn(0);
  desk.exited(0, desk.now);
  CHECK(desk.rank_of(desk.take<action::spawn>()) == 0);
  desk.nothing();
}
