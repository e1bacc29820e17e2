// SPDX-License-Identifier: BSL-1.0

// Every order in which things can happen to a scheduler, in worlds small enough to try them all.
// `scheduler_walks_test.cpp` tries some orders in larger ones.

#include <chrono>
#include <cstddef>
#include <vector>

#include <catch2/catch.hpp>

#include "scheduler_model_search.hpp"

namespace {

using namespace scheduler_model;
using namespace std::chrono_literals;

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
    "given starts that others end, when there are few or many, then it is tried again or given up") {
  check_all({.name = "one worker",
             .jobs = {items(1, 1)},
             .late_frames = true,
             .crashes = 1,
             .failed_starts = 3,
             .killed_starts = 3,
             .restart_limit = 2});
  check_all({.name = "two workers",
             .processes = 2,
             .jobs = {items(1, 1)},
             .failed_starts = 1,
             .killed_starts = 2,
             .restart_limit = 1,
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

TEST_CASE("given two workers, when they start badly, then those that serve go on") {
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
    "given workers that go on unheard, when what they have not begun is revoked at any point, then "
    "every item finishes once, and no worker is idle beside one that holds more") {
  const plan two{.name = "two", .processes = 2, .jobs = {}, .revocable = true, .busy = 1s};
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

TEST_CASE(
    "given a worker that dies, when it may have begun nothing or everything, then that is what it "
    "costs") {
  check_all({.name = "chunks", .jobs = {items(5, 3)}, .any_begun = true, .crashes = 2});
  check_all({.name = "two workers",
             .processes = 2,
             .jobs = {items(4, 2)},
             .any_begun = true,
             .crashes = 1});
  job_plan strict = items(4, 3);
  strict.ends_at_first_failure = true;
  check_all({.name = "ends at its first failure",
             .jobs = {strict, items(1, 1)},
             .any_begun = true,
             .crashes = 2,
             .closes = 1});
  check_all({.name = "held", .jobs = {items(4, 2, 3, true)}, .any_begun = true, .crashes = 1});
}

TEST_CASE(
    "given workers that go on unheard, when they refuse to give back, lie or die, then every item "
    "finishes once") {
  const plan one{.name = "one",
                 .jobs = {items(2, 1), items(1, 1)},
                 .late_jobs = true,
                 .revocable = true,
                 .busy = 1s};
  plan tried = one;
  tried.name = "refuse";
  tried.refusals = 1;
  check_all(tried);
  tried.crashes = 1;
  tried.jobs.pop_back();
  tried.any_begun = true;
  check_all(tried);
  tried = one;
  tried.name = "lie";
  tried.lies = 1;
  check_all(tried);
  tried = one;
  tried.name = "held";
  tried.jobs = {items(3, 1, 2, true), items(1, 1)};
  check_all(tried);
  tried.jobs.pop_back();
  tried.any_begun = true;
  tried.crashes = 1;
  check_all(tried);
  tried = one;
  tried.name = "refuse to share";
  tried.processes = 2;
  tried.jobs = {items(2, 2)};
  tried.late_jobs = false;
  tried.refusals = 1;
  check_all(tried);
}

TEST_CASE(
    "given workers that go on unheard, when the input throws at any point, then nothing is asked of "
    "one that holds nothing") {
  for (std::size_t at = 0; at < 4; ++at) {
    job_plan odd = items(4, 1);
    odd.fails_at = at;
    plan tried{.name = "throws",
               .jobs = {odd, items(1, 1)},
               .late_jobs = true,
               .revocable = true,
               .crashes = 1};
    check_all(tried);
    tried.name = "throws for two workers";
    tried.processes = 2;
    tried.jobs = {odd};
    tried.crashes = 0;
    check_all(tried);
  }
}

TEST_CASE(
    "given workers that go on unheard, when the pool ends at any point, then all leave once") {
  plan tried{.name = "close",
             .jobs = {items(2, 1)},
             .revocable = true,
             .late_frames = true,
             .any_begun = true,
             .crashes = 1,
             .closes = 1};
  check_all(tried);
  tried.name = "terminate";
  tried.terminations = 1;
  check_all(tried);
  tried.name = "close two workers";
  tried.processes = 2;
  tried.jobs = {items(1, 1)};
  tried.terminations = 0;
  check_all(tried);
}
