// SPDX-License-Identifier: BSL-1.0

// What is revoked from workers that have not begun it, and which worker gets it.

#include <algorithm>
#include <chrono>
#include <cstddef>

#include <catch2/catch.hpp>

#include "scheduler_desk.hpp"
#include "timing/timing.hpp"

namespace {

using namespace coterie::detail;
using namespace std::chrono_literals;

/// A desk whose workers can be asked for what they have not begun.
struct sharing_desk : scheduler_desk {
  explicit sharing_desk(int processes) : scheduler_desk{processes, {}, true} { start_all(); }

  /// Worker 0 is the only one, holds two chunks of `count` items, and that is the end of the input.
  struct pair {
    chunk_id first;
    chunk_id second;
  };
  pair give_two(std::size_t count) {
    const auto first = cut(count);
    const auto second = cut(count, true);
    REQUIRE(rank_of(first) == rank_of(second));
    return {first.chunk, second.chunk};
  }
};

}  // namespace

TEST_CASE("given items of any length, when they can be revoked, then a worker holds one more") {
  sharing_desk desk{1};
  desk.add(1);
  desk.cut();
  desk.cut();
  desk.nothing();
}

TEST_CASE("given a worker with nothing to do, when another holds a second chunk, then it gets it") {
  scheduler_desk desk{2, {}, true};
  desk.take<action::spawn>();
  desk.take<action::spawn>();
  for (const int rank : {0, 1}) desk.started(rank, desk.now);
  desk.ready(0, true);
  desk.add(1);
  const auto first = desk.cut(1);
  const auto second = desk.cut(1, true);
  desk.nothing();
  desk.ready(1, true);

  const auto asked = desk.take<action::revoke>();
  CHECK(desk.rank_of(asked) == 0);
  CHECK(asked.min == 1);
  CHECK(asked.only_if_cheap);
  desk.revoked(0, first.chunk, 1);
  const auto again = desk.take<action::resend>();
  CHECK(desk.rank_of(again) == 1);
  CHECK(again.chunk == second.chunk);
  desk.nothing();
  desk.run(0, first.chunk);
  desk.run(1, second.chunk);
  CHECK(desk.take<action::finish>().job == 1);
}

TEST_CASE("given a worker that has nothing to give, when it was asked, then it is left in peace") {
  sharing_desk desk{2};
  desk.add(1);
  desk.cut(1);
  desk.cut(1);
  desk.cut(1);
  const auto last = desk.cut(1, true);
  desk.nothing();
  const int other = 1 - desk.rank_of(last);
  const chunk_id first = desk.current_chunk(other).value();
  desk.run(other, first);
  desk.run(other, desk.current_chunk(other).value());
  CHECK(desk.rank_of(desk.take<action::revoke>()) == desk.rank_of(last));
  desk.nothing();  // no answer: it has begun everything
}

TEST_CASE(
    "given a worker without memory, when it follows one that had some, then it loses nothing") {
  scheduler_desk desk{2, {}, true};
  for (const int rank : {0, 1}) {
    desk.take<action::spawn>();
    desk.started(rank, desk.now);
  }
  desk.ready(0, true);
  desk.add(1);
  desk.cut(4, true);
  desk.exited(0, desk.now, {.begun = 0});
  desk.take<action::spawn>();
  desk.started(0, desk.now);
  desk.ready(0, false);
  desk.take<action::resend>();
  desk.ready(1, true);
  for (int left = 2; left > 0; --left) {
    const auto other = desk.take<action::resend>();
    REQUIRE(desk.rank_of(other) == 1);
    desk.run(1, other.chunk);
  }
  REQUIRE(desk.items_of(*desk.current_chunk(0)).count == 2);
  desk.nothing();
}

TEST_CASE("given a chunk that is under way, when it is shared, then each gets half of the rest") {
  sharing_desk desk{2};
  desk.add(1, 0);
  // Both workers hold two single items; the first long one comes with the end.
  const auto a = desk.cut(1);
  const auto b = desk.cut(100, true);
  REQUIRE(desk.rank_of(a) != desk.rank_of(b));
  desk.run(desk.rank_of(a), a.chunk, 1, 10ms);
  const auto asked = desk.take<action::revoke>();
  CHECK(desk.rank_of(asked) == desk.rank_of(b));
  desk.revoked(desk.rank_of(b), b.chunk, 20);

  CHECK(desk.items_of(b.chunk) == item_range{.job = 1, .first = 1, .count = 20});
  const auto to_thief = desk.take<action::resend>();
  CHECK(desk.rank_of(to_thief) == desk.rank_of(a));
  CHECK(desk.items_of(to_thief.chunk) == item_range{.job = 1, .first = 21, .count = 40});
  // The other half is halved again, as another worker might be idle.
  const auto to_victim = desk.take<action::resend>();
  CHECK(desk.rank_of(to_victim) == desk.rank_of(b));
  CHECK(desk.items_of(to_victim.chunk) == item_range{.job = 1, .first = 61, .count = 20});

  // What each has is what it may finish, and no more.
  CHECK(desk.items_done(desk.rank_of(b), b.chunk, 20));
  CHECK_FALSE(desk.items_done(desk.rank_of(b), b.chunk, 1));
  CHECK(desk.chunk_done(desk.rank_of(b), b.chunk, 200ms));
}

TEST_CASE("given chunks of given size, when they are shared, then each stays whole") {
  sharing_desk desk{2};
  desk.add(1, 10);
  const auto a = desk.cut(10);
  const auto b = desk.cut(70, true);
  desk.run(desk.rank_of(a), a.chunk, 10, 100ms);
  const auto asked = desk.take<action::revoke>();
  CHECK(asked.unit == 10);
  desk.revoked(desk.rank_of(b), b.chunk, 10);
  CHECK(desk.items_of(b.chunk).count == 10);
  CHECK(desk.items_of(desk.take<action::resend>().chunk).count == 30);
}

TEST_CASE("given short items, when they are shared, then that is worth while") {
  sharing_desk desk{2};
  desk.add(1, 0);
  const auto a = desk.cut(1);
  const auto b = desk.cut(100, true);
  SECTION("they last for long enough") {
    desk.run(desk.rank_of(a), a.chunk, 1, timing::min_theft / 50);
    CHECK(desk.take<action::revoke>().min == 50);
    desk.nothing();
    CHECK(desk.current_chunk(desk.rank_of(b)) == b.chunk);
  }
  SECTION("they are over soon") {
    desk.run(desk.rank_of(a), a.chunk, 1, timing::min_theft / 100);
    desk.nothing();
  }
}

TEST_CASE(
    "given a worker that does not get on, when it kept a little, then that is taken in the end") {
  sharing_desk desk{2};
  desk.add(1, 0);
  const auto a = desk.cut(1);
  const auto b = desk.cut(10, true);
  desk.run(desk.rank_of(a), a.chunk, 1, 1us);
  desk.nothing();
  REQUIRE(desk.it.wants_time());
  desk.it.rest(desk.now);
  REQUIRE(desk.it.next_deadline() == desk.now + timing::overdue);
  desk.it.tick(desk.now + timing::overdue - 1ns);
  desk.nothing();
  desk.it.tick(desk.now + timing::overdue);
  CHECK_FALSE(desk.it.next_deadline());
  const auto asked = desk.take<action::revoke>();
  CHECK(desk.rank_of(asked) == desk.rank_of(b));
  CHECK(asked.min == 1);
  CHECK_FALSE(asked.only_if_cheap);
  desk.revoked(desk.rank_of(b), b.chunk, 4);
  CHECK(desk.rank_of(desk.take<action::resend>()) == desk.rank_of(a));
  desk.nothing();
}

TEST_CASE("given a worker that was waited for, when it has ended all, then none waits any more") {
  sharing_desk desk{2};
  desk.add(1, 0);
  const auto a = desk.cut(1);
  const auto b = desk.cut(10, true);
  desk.run(desk.rank_of(a), a.chunk, 1, 1us);
  desk.nothing();
  desk.it.rest(desk.now);
  desk.run(desk.rank_of(b), b.chunk, 10);
  desk.take<action::finish>();
  desk.nothing();
  desk.it.rest(desk.now);
  CHECK_FALSE(desk.it.next_deadline());
  CHECK_FALSE(desk.it.wants_time());
}

TEST_CASE("given a long job, when a call comes, then one worker makes way for it") {
  sharing_desk desk{2};
  desk.add(1, 0);
  for (int chunk = 0; chunk < 4; ++chunk) desk.cut(10);
  desk.nothing();
  desk.add(2, 0);
  const auto asked = desk.take<action::revoke>();
  CHECK_FALSE(asked.only_if_cheap);
  const chunk_id running = desk.current_chunk(desk.rank_of(asked)).value();
  desk.revoked(desk.rank_of(asked), running, 3);
  desk.nothing();  // one is enough
  desk.run(desk.rank_of(asked), running, 3);
  const auto call = desk.cut(1, true);
  CHECK(call.job == 2);
  CHECK(desk.rank_of(call) == desk.rank_of(asked));
  desk.run(desk.rank_of(call), call.chunk);
  CHECK(desk.take<action::finish>().job == 2);
  // Then what came back goes on.
  CHECK(desk.rank_of(desk.take<action::resend>()) == desk.rank_of(call));
}

TEST_CASE(
    "given two workers, when one is to make way, then it is the first that was given something") {
  sharing_desk desk{2};
  desk.add(1, 0);
  chunk_id running = 0;
  for (int chunk = 0; chunk < 4; ++chunk) {
    const auto given = desk.cut(10);
    if (desk.rank_of(given) == 0 && running == 0) running = given.chunk;
  }
  desk.nothing();
  // Worker 0 goes on to its second chunk, and is given another one.
  desk.run(0, running, 10, 10us);
  REQUIRE(desk.rank_of(desk.cut(10)) == 0);
  desk.add(2, 0);
  CHECK(desk.rank_of(desk.take<action::revoke>()) == 1);
}

TEST_CASE("given jobs with equal shares, when each could have more, then none is asked") {
  sharing_desk desk{2};
  desk.add(1);
  desk.add(2);
  for (int chunk = 0; chunk < 4; ++chunk) desk.cut(1);
  desk.nothing();
}

TEST_CASE("given a worker that was begun with, when all comes back, then it is free at once") {
  sharing_desk desk{1};
  desk.add(1);
  desk.cut(5);
  desk.cut(5);
  desk.add(2);
  REQUIRE(desk.rank_of(desk.take<action::revoke>()) == 0);
  desk.revoked(0, 0, 0);
  CHECK(desk.cut(1, true).job == 2);
}

TEST_CASE(
    "given a worker that does not get on, when it was asked often, then it is given no more") {
  sharing_desk desk{1};
  desk.add(1);
  const auto running = desk.cut(1);
  for (job_id call = 2; call < 2 + stealing::max_revocations; ++call) {
    // The first time a second chunk is cut, then it is the one that came back.
    if (call == 2) {
      desk.cut(1);
    } else {
      desk.take<action::resend>();
    }
    desk.it.add_job(call, {.chunksize = 1, .window = 0, .held_until_consumed = false});
    desk.take<action::revoke>();
    desk.revoked(0, running.chunk, 1);
    desk.nothing();
    desk.it.drop_job(call, false);
  }
  desk.nothing();
  desk.run(0, running.chunk);
  desk.take<action::resend>();
  desk.cut(1);
}

TEST_CASE("given a worker that dies, when a part of its chunk was revoked, then the rest is lost") {
  sharing_desk desk{1};
  desk.add(1, 0);
  const auto both = desk.give_two(10);
  desk.add(2);
  desk.take<action::revoke>();
  desk.revoked(0, both.first, 4);
  REQUIRE(desk.items_done(0, both.first, 2));
  desk.exited(0, desk.now);
  CHECK(desk.take<action::crash>().items == item_range{.job = 1, .first = 2, .count = 1});
  desk.take<action::spawn>();
  desk.nothing();
}

TEST_CASE(
    "given an input that throws while it is cut, when nothing of it was sent, then nothing is asked back") {
  sharing_desk desk{1};
  desk.add(1);
  const auto first = desk.take<action::cut>();
  desk.it.drop_job(1, false);
  desk.it.cut_done(first.chunk, 0, true);
  desk.nothing();
  desk.add(2);
  CHECK(desk.rank_of(desk.take<action::cut>()) == 0);
}

TEST_CASE(
    "given an input that throws while it is cut, when a chunk was sent before, then that comes back") {
  sharing_desk desk{1};
  desk.add(1, 0);
  const auto first = desk.cut(5);
  const auto second = desk.take<action::cut>();
  desk.it.drop_job(1, false);
  desk.it.cut_done(second.chunk, 0, true);
  CHECK(desk.rank_of(desk.take<action::revoke>()) == 0);
  desk.revoked(0, first.chunk, 1);
  CHECK(desk.items_of(first.chunk).count == 1);
  desk.nothing();
}

TEST_CASE(
    "given two workers that made way, when what they had goes on, then it does so in its order") {
  sharing_desk desk{2};
  desk.add(1);
  chunk_id second_of[2] = {};
  for (int chunk = 0; chunk < 4; ++chunk) {
    const auto given = desk.cut(1);
    second_of[desk.rank_of(given)] = given.chunk;
  }
  for (const job_id call : {2, 3}) {
    desk.add(call);
    const auto asked = desk.take<action::revoke>();
    desk.revoked(desk.rank_of(asked), desk.current_chunk(desk.rank_of(asked)).value(), 1);
    desk.nothing();
  }
  for (const job_id call : {2, 3}) desk.it.drop_job(call, false);
  const chunk_id first = desk.take<action::resend>().chunk;
  const chunk_id second = desk.take<action::resend>().chunk;
  CHECK(first == std::min(second_of[0], second_of[1]));
  CHECK(second == std::max(second_of[0], second_of[1]));
}

TEST_CASE(
    "given a chunk that comes back, when others of it came back before, then it comes before them") {
  sharing_desk desk{1};
  desk.add(1, 0);
  const auto both = desk.give_two(10);
  desk.add(2);
  desk.take<action::revoke>();
  desk.revoked(0, both.first, 10);
  desk.nothing();
  desk.exited(0, desk.now);
  CHECK(desk.take<action::crash>().items == item_range{.job = 1, .first = 0, .count = 1});
  CHECK(desk.rank_of(desk.take<action::spawn>()) == 0);
  desk.started(0, desk.now);
  desk.ready(0, true);
  const auto call = desk.cut(1, true);
  CHECK(call.job == 2);
  desk.run(0, call.chunk);
  CHECK(desk.take<action::finish>().job == 2);
  CHECK(desk.take<action::resend>().chunk == both.first);
  const auto half = desk.take<action::resend>();
  CHECK(half.chunk == both.second);
  CHECK(desk.items_of(half.chunk).count == 5);
}

TEST_CASE(
    "given an answer that says less than was heard, when it comes, then what was heard is kept") {
  sharing_desk desk{1};
  desk.add(1, 0);
  const auto both = desk.give_two(10);
  REQUIRE(desk.items_done(0, both.first, 6));
  desk.add(2);
  desk.take<action::revoke>();
  desk.revoked(0, both.first, 4);
  CHECK(desk.items_of(both.first).count == 6);
  CHECK(desk.chunk_done(0, both.first, 1ms));
}

TEST_CASE("given a chunk that was shortened, when it ends, then the next is no smaller for it") {
  scheduler_desk desk{2, {}, true};
  for (const int rank : {0, 1}) {
    CHECK(desk.rank_of(desk.take<action::spawn>()) == rank);
    desk.started(rank, desk.now);
  }
  desk.ready(0, true);
  desk.add(1, 0);
  // It grows with each chunk that was quick.
  for (int chunk = 0; chunk < 4; ++chunk) {
    const auto asked = desk.cut();
    desk.run(0, asked.chunk, asked.max, asked.max * 1us);
  }
  const auto first = desk.cut();
  const auto second = desk.cut();
  REQUIRE(first.max >= 8);
  desk.ready(1, true);
  const auto third = desk.cut();
  desk.cut();
  desk.nothing();
  // All of it but one item comes back, and is given again.
  desk.add(2);
  REQUIRE(desk.rank_of(desk.take<action::revoke>()) == 0);
  desk.revoked(0, first.chunk, 1);
  desk.it.drop_job(2, false);
  CHECK(desk.rank_of(desk.take<action::resend>()) == 0);
  desk.run(1, third.chunk, third.max, third.max * 1us);
  CHECK(desk.take<action::resend>().chunk == second.chunk);
  desk.nothing();
  desk.run(0, first.chunk, 1, 1us);
  CHECK(desk.cut().max >= first.max);
}

TEST_CASE("given a worker that is expected to take long, when it does, then that is waited for") {
  sharing_desk desk{2};
  desk.add(1, 0);
  const auto a = desk.cut(1);
  const auto b = desk.cut(1);
  // What an item takes is known when the next is cut.
  desk.run(desk.rank_of(a), a.chunk, 1, 2us);
  desk.run(desk.rank_of(b), b.chunk, 1, 2us);
  const auto last = desk.cut(10, true);
  desk.nothing();
  REQUIRE(desk.it.wants_time());
  desk.it.rest(desk.now);
  CHECK(desk.it.next_deadline() == desk.now + timing::overdue + 2 * 10 * 2us);
  CHECK(desk.current_chunk(desk.rank_of(last)) == last.chunk);
}
