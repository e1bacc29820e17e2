// SPDX-License-Identifier: BSL-1.0

// The lives of workers, without anything for them to do.

#include <chrono>
#include <optional>
#include <variant>

#include <catch2/catch.hpp>

#include "schedule/crew.hpp"

namespace {

using namespace coterie::detail;
using namespace std::chrono_literals;

/// A crew, and what it wants done.
struct small_crew {
  explicit small_crew(int size) : it{size, 1s, {}} { it.fill(due); }

  action::spawn spawn() {
    REQUIRE_FALSE(due.empty());
    const auto first = std::get<action::spawn>(due.front());
    due.pop_front();
    return first;
  }
  worker_id start() {
    const worker_id id = spawn().worker;
    it.started(id, now);
    return id;
  }
  worker& at(worker_id id) {
    REQUIRE(it.find(id) != nullptr);
    return *it.find(id);
  }

  crew it;
  crew::actions due;
  crew::time_point now{};
};

}  // namespace

TEST_CASE("given ranks whose workers left, when they are filled, then by workers of other names") {
  small_crew some{2};
  const worker_id first = some.start();
  const worker_id second = some.start();
  REQUIRE(some.it.became_ready(first, true));
  REQUIRE(some.it.became_ready(second, true));
  CHECK(some.it.remove(first, {}, some.now) == departure::crashed);
  CHECK(some.it.find(first) == nullptr);
  some.it.fill(some.due);
  const auto next = some.spawn();
  CHECK(next.worker != first);
  CHECK(next.worker != second);
  CHECK(next.rank == 0);
  CHECK(some.due.empty());
}

TEST_CASE("given a rank that processes had, when the next is asked for, then it is told how many") {
  small_crew some{1};
  for (std::uint64_t before = 0; before < 3; ++before) {
    const auto next = some.spawn();
    CHECK(next.incarnation == before);
    some.it.started(next.worker, some.now);
    REQUIRE(some.it.became_ready(next.worker, false));
    some.it.remove(next.worker, {}, some.now);
    some.it.fill(some.due);
  }
}

TEST_CASE(
    "given a process that could not be made, when another is asked for, then it is the first") {
  small_crew some{1};
  CHECK(some.it.remove(some.spawn().worker, {}, some.now) == departure::start_failed);
  some.it.fill(some.due);
  CHECK(some.spawn().incarnation == 0);
}

TEST_CASE(
    "given workers at every stage, when they leave, then it is known how that is to be taken") {
  small_crew some{1};
  const worker_id id = some.start();
  SECTION("before it was ready") {
    CHECK(some.it.remove(id, {}, some.now) == departure::start_failed);
  }
  SECTION("before it was ready, because it broke the rules") {
    some.it.kill(some.at(id), kill_reason::broke_rules, some.due);
    CHECK_FALSE(some.it.became_ready(id, true));
    CHECK(some.it.remove(id, {}, some.now) == departure::start_failed);
  }
  SECTION("by itself") {
    REQUIRE(some.it.became_ready(id, true));
    CHECK(some.it.remove(id, {}, some.now) == departure::crashed);
  }
  SECTION("as it was asked to") {
    REQUIRE(some.it.became_ready(id, true));
    some.it.retire(some.at(id), some.due);
    CHECK(some.it.remove(id, {}, some.now) == departure::left);
  }
  SECTION("killed, because nothing that it does is wanted") {
    REQUIRE(some.it.became_ready(id, true));
    some.it.kill(some.at(id), kill_reason::unwanted, some.due);
    CHECK(some.it.remove(id, {}, some.now) == departure::killed);
  }
  SECTION("killed for that, and then it broke the rules") {
    REQUIRE(some.it.became_ready(id, true));
    some.it.kill(some.at(id), kill_reason::unwanted, some.due);
    some.it.kill(some.at(id), kill_reason::broke_rules, some.due);
    CHECK(some.due.size() == 1);  // it is killed once
    CHECK(some.it.remove(id, {}, some.now) == departure::crashed);
  }
  SECTION("killed, because it closed its link") {
    REQUIRE(some.it.became_ready(id, true));
    some.it.kill(some.at(id), kill_reason::lost_link, some.due);
    CHECK(some.it.remove(id, {}, some.now) == departure::crashed);
  }
  CHECK(some.it.ready_count() == 0);
  CHECK(some.it.empty());
  CHECK(some.it.remove(id, {}, some.now) == departure::unknown);
}

TEST_CASE("given a worker that starts, when its time is over, then it is killed for that") {
  small_crew some{1};
  const worker_id id = some.start();
  REQUIRE(some.it.next_deadline() == some.now + 1s);
  CHECK_FALSE(some.it.tick(some.now + 1s - 1ns, some.due));
  CHECK(some.due.empty());
  CHECK_FALSE(some.it.tick(some.now + 1s, some.due));
  CHECK(std::get<action::kill>(some.due.front()).worker == id);
  CHECK(some.at(id).killed == kill_reason::start_timed_out);
  CHECK_FALSE(some.it.next_deadline());
  CHECK_FALSE(some.it.became_ready(id, true));
}

TEST_CASE("given a seat that another worker has, when the first is looked for, then it is gone") {
  worker_table table{2};
  const worker_id first = table.add(0).id;
  const worker_id other = table.add(1).id;
  table.remove(first);
  CHECK(table.at_seat(worker_table::seat_of(first)) == nullptr);
  const worker_id second = table.add(0).id;
  REQUIRE(worker_table::seat_of(second) == worker_table::seat_of(first));
  CHECK(table.find(first) == nullptr);
  CHECK(std::as_const(table).find(first) == nullptr);
  CHECK(table.find(second)->rank == 0);
  CHECK(table.find(other)->rank == 1);
  CHECK(table.size() == 2);
  CHECK(table.find(0) == nullptr);
}
