// SPDX-License-Identifier: BSL-1.0

// Every order in which things can happen to a scheduler, in worlds small enough to try them all; and
// some orders, chosen by lot, in larger ones.

#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "scheduler_model.hpp"
#include "support/sanitized.hpp"

namespace {

using namespace scheduler_model;
using namespace std::chrono_literals;

// No multiple of a millisecond, as all other times are: so nothing else falls due together with it.
constexpr std::chrono::nanoseconds odd_timeout = 1s + 500us;

struct tally {
  std::size_t orders = 0;
  std::size_t steps = 0;
  bool complete = true;
};

// No clock decides how much is tried: a slow machine tries the same.
constexpr std::size_t most_steps = 20'000'000;

[[noreturn]] void report(const plan& of, const std::vector<event>& path, const char* promise) {
  std::string story;
  for (const event& each : path) story += text(each);
  throw violation{std::string{"broken: "} + promise + "\n in: " + of.name + "\n after: " + story};
}

template <class Action>
void attempt(const plan& of, const std::vector<event>& path, Action action) {
  try {
    action();
  } catch (const violation& broken) {
    report(of, path, broken.what());
  }
}

void explore(const plan& of, const world& from, std::vector<event>& path, tally& so_far) {
  if (so_far.steps > most_steps) {
    so_far.complete = false;
    return;
  }
  const std::vector<event> possible = from.possible();
  if (std::ranges::none_of(possible, comes_by_itself)) {
    attempt(of, path, [&] { from.check_rest(); });
    ++so_far.orders;
  }
  for (const event& each : possible) {
    path.push_back(each);
    world next = from;
    attempt(of, path, [&] { next.happen(each); });
    so_far.steps += next.steps() - from.steps();
    explore(of, next, path, so_far);
    path.pop_back();
  }
}

tally try_all(const plan& of) {
  tally so_far;
  std::vector<event> path;
  explore(of, world{of}, path, so_far);
  return so_far;
}

tally try_some(const plan& of, std::size_t walks) {
  tally so_far;
  std::mt19937 lot{20240229};  // NOLINT: the same walks every time
  for (std::size_t walk = 0; walk < walks; ++walk) {
    std::vector<event> path;
    world here{of};
    for (;;) {
      const std::vector<event> possible = here.possible();
      if (std::ranges::none_of(possible, comes_by_itself)) {
        attempt(of, path, [&] { here.check_rest(); });
      }
      if (possible.empty()) break;
      path.push_back(possible[lot() % possible.size()]);
      attempt(of, path, [&] { here.happen(path.back()); });
    }
    ++so_far.orders;
    so_far.steps += here.steps();
  }
  return so_far;
}

void check_all(const plan& of) {
  const tally found = try_all(of);
  INFO(of.name << ": " << found.orders << " orders, " << found.steps << " steps");
  CHECK(found.complete);
}

void check_some(const plan& of) {
  constexpr std::size_t walks = test::sanitized ? 1'000 : 10'000;
  CHECK(try_some(of, walks).orders == walks);
}

job_plan items(std::size_t count, std::size_t chunksize, std::size_t window = 0,
               bool held = false) {
  return {.items = count,
          .limits = {.chunksize = chunksize, .window = window, .held_until_consumed = held}};
}

}  // namespace

TEST_CASE("given one worker, when it crashes or lies at any point, then every item finishes once") {
  check_all({.name = "items", .jobs = {items(3, 1)}, .crashes = 2, .lies = 1});
  check_all({.name = "chunks", .jobs = {items(6, 3)}, .crashes = 3});
  check_all({.name = "late", .jobs = {items(3, 2)}, .late_frames = true, .crashes = 1, .lies = 1});
}

TEST_CASE("given one worker, when it starts badly, then all is given up or all is done") {
  check_all({.name = "failing", .jobs = {items(2, 1)}, .crashes = 1, .failed_starts = 7});
  check_all({.name = "slow and failing",
             .jobs = {items(1, 1), items(1, 1)},
             .late_jobs = true,
             .late_frames = true,
             .crashes = 1,
             .failed_starts = 4,
             .slow_starts = 2,
             .start_timeout = odd_timeout});
  check_all({.name = "lying in its greeting",
             .jobs = {items(1, 1)},
             .failed_starts = 1,
             .lies = 4,
             .closes = 1});
}

TEST_CASE(
    "given one worker, when its job is cancelled at any point, then it goes on or is replaced") {
  check_all({.name = "one job",
             .jobs = {items(4, 2)},
             .batches = true,
             .late_frames = true,
             .crashes = 1,
             .cancellations = 1,
             .kills = 1});
  check_all({.name = "two jobs",
             .jobs = {items(2, 1), items(2, 2)},
             .late_jobs = true,
             .crashes = 1,
             .cancellations = 1,
             .kills = 1});
}

TEST_CASE("given one worker, when the pool ends at any point, then everybody leaves once") {
  check_all({.name = "close and terminate",
             .jobs = {items(2, 1), items(3, 2)},
             .late_jobs = true,
             .crashes = 1,
             .closes = 2,
             .terminations = 1});
  check_all({.name = "everything",
             .jobs = {items(2, 1)},
             .late_frames = true,
             .crashes = 1,
             .failed_starts = 1,
             .cancellations = 1,
             .kills = 1,
             .lies = 1,
             .closes = 1});
  check_all({.name = "terminate twice",
             .jobs = {items(2, 1)},
             .late_frames = true,
             .crashes = 1,
             .failed_starts = 2,
             .slow_starts = 1,
             .terminations = 2,
             .start_timeout = odd_timeout});
}

TEST_CASE("given a window, when results are consumed at any point, then it is kept and used") {
  check_all({.name = "held", .jobs = {items(5, 2, 3, true)}, .crashes = 1, .kills = 1});
  check_all({.name = "not held", .jobs = {items(6, 2, 3)}, .batches = true, .crashes = 2});
  check_all({.name = "two workers", .processes = 2, .jobs = {items(3, 1, 2, true)}, .crashes = 1});
}

TEST_CASE("given odd inputs, when they end or throw, then what was taken before still counts") {
  for (const bool looks_ahead : {false, true}) {
    for (std::size_t count = 0; count <= 4; ++count) {
      job_plan odd = items(count, 2);
      odd.looks_ahead = looks_ahead;
      check_all({.name = "ends", .jobs = {odd, items(1, 1)}, .late_jobs = true, .crashes = 1});
      odd.fails_at = 1;
      if (count > 1) check_all({.name = "throws", .processes = 2, .jobs = {odd}, .crashes = 1});
    }
  }
  job_plan strict = items(4, 2);
  strict.ends_at_first_failure = true;
  check_all({.name = "ends at its first failure",
             .jobs = {strict, items(2, 1)},
             .late_jobs = true,
             .crashes = 2,
             .closes = 1});
}

TEST_CASE(
    "given two workers, when any of them crashes at any point, then every item finishes once") {
  check_all({.name = "items", .processes = 2, .jobs = {items(4, 1)}, .crashes = 1});
  check_all({.name = "chunks", .processes = 2, .jobs = {items(6, 3)}, .crashes = 1});
  check_all(
      {.name = "long items", .processes = 2, .jobs = {items(4, 1)}, .crashes = 1, .busy = 1s});
  check_all(
      {.name = "batches", .processes = 2, .jobs = {items(6, 2)}, .batches = true, .crashes = 1});
}

TEST_CASE(
    "given two workers and two jobs, when they meet, then turns are fair and nothing is lost") {
  check_all({.name = "crash", .processes = 2, .jobs = {items(2, 1), items(1, 1)}, .crashes = 1});
  check_all({.name = "kill", .processes = 2, .jobs = {items(2, 1), items(1, 1)}, .kills = 1});
  check_all({.name = "close",
             .processes = 2,
             .jobs = {items(2, 2), items(1, 1)},
             .late_jobs = true,
             .closes = 1});
}

TEST_CASE("given two workers, when they start badly, then those who serve go on") {
  check_all({.name = "failing and slow",
             .processes = 2,
             .jobs = {items(1, 1)},
             .failed_starts = 4,
             .slow_starts = 1,
             .start_timeout = odd_timeout});
  check_all({.name = "degraded",
             .processes = 2,
             .jobs = {items(1, 1)},
             .crashes = 1,
             .failed_starts = 3});
  check_all({.name = "degraded and closed",
             .processes = 2,
             .jobs = {items(1, 1)},
             .failed_starts = 3,
             .closes = 1});
}

TEST_CASE(
    "given three workers, when they come and go in any order, then every item finishes once") {
  check_all({.name = "items", .processes = 3, .jobs = {items(3, 1)}});
  check_all({.name = "chunks", .processes = 3, .jobs = {items(4, 2)}, .kills = 1});
  check_all({.name = "crash", .processes = 3, .jobs = {items(2, 1)}, .crashes = 1});
}

TEST_CASE("given four workers, when they come in any order, then free ones share what there is") {
  check_all({.name = "one item", .processes = 4, .jobs = {items(1, 1)}});
  check_all({.name = "one chunk", .processes = 4, .jobs = {items(3, 3)}});
}

TEST_CASE(
    "given workers that go on unheard, when what they have not begun is taken back at any point, then "
    "every item finishes once, and nobody is idle beside one who holds more") {
  const plan two{.name = "two", .processes = 2, .jobs = {}, .takes_back = true, .busy = 1s};
  plan tried = two;
  tried.name = "crash";
  tried.jobs = {items(2, 1)};
  tried.crashes = 1;
  check_all(tried);
  tried = two;
  tried.name = "make way";
  tried.processes = 1;
  tried.jobs = {items(4, 2), items(1, 1)};
  tried.late_jobs = true;
  tried.crashes = 1;
  check_all(tried);
  tried.crashes = 0;
  tried.kills = 1;
  tried.cancellations = 1;
  check_all(tried);
}

TEST_CASE("given larger pools, when some orders are tried by lot, then every promise is kept") {
  const std::vector<job_plan> jobs = {items(6, 1), items(6, 3), items(6, 2, 4, true), items(3, 0)};
  plan all{.name = "lot",
           .processes = 4,
           .jobs = jobs,
           .late_jobs = true,
           .batches = true,
           .late_frames = true,
           .crashes = 3,
           .failed_starts = 3,
           .slow_starts = 2,
           .cancellations = 1,
           .kills = 1,
           .lies = 2,
           .start_timeout = odd_timeout};
  check_some(all);
  all.closes = 1;
  check_some(all);
  all.terminations = 1;
  check_some(all);
  all.busy = 1s;
  all.late_jobs = false;
  check_some(all);
  all.takes_back = true;
  check_some(all);
  all.busy = 10us;
  all.jobs = {items(60, 0), items(60, 20), items(30, 2, 8, true), items(3, 0)};
  check_some(all);
}
