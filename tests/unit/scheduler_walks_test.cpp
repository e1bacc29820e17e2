// SPDX-License-Identifier: BSL-1.0

// Orders of events chosen by lot, in worlds that are too large to try them all. Each run tries
// others; COTERIE_WALK_SEED repeats one, and begins with it.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <sstream>
#include <string>

#include <catch2/catch.hpp>

#include "scheduler_model_search.hpp"
#include "support/sanitized.hpp"

namespace {

using namespace scheduler_model;
using namespace std::chrono_literals;

constexpr std::size_t walks = test::sanitized ? 1'000 : 10'000;

/// The first seed of this run; those that follow count up.
std::uint64_t first_seed() {
  static const std::uint64_t seed = [] {
    const char* const given = std::getenv("COTERIE_WALK_SEED");
    const std::uint64_t chosen =
        given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    std::cout << "COTERIE_WALK_SEED=" << chosen << std::endl;  // NOLINT: also if the test hangs
    return chosen;
  }();
  return seed;
}

/// Draws a plan, and all that happens in it.
class dealer {
 public:
  explicit dealer(std::uint64_t seed) : lot_{seed} {}

  plan some_plan() {
    plan drawn;
    drawn.processes = up_to(1, 5);
    for (int jobs = up_to(1, 4); jobs > 0; --jobs) drawn.jobs.push_back(some_job());
    drawn.late_jobs = one_in(2);
    drawn.batches = one_in(2);
    drawn.revocable = !one_in(4);
    drawn.late_frames = one_in(2);
    drawn.any_begun = one_in(2);
    drawn.crashes = up_to(0, 4);
    drawn.failed_starts = one_in(2) ? up_to(0, 5) : 0;
    drawn.killed_starts = one_in(2) ? up_to(0, 6) : 0;
    drawn.restart_limit = one_in(4) ? 2 : 64;
    drawn.slow_starts = one_in(2) ? up_to(0, 2) : 0;
    drawn.cancellations = up_to(0, 2);
    drawn.kills = up_to(0, 2);
    drawn.lies = up_to(0, 2);
    drawn.refusals = up_to(0, 4);
    drawn.closes = one_in(2) ? 1 : 0;
    drawn.terminations = one_in(4) ? up_to(1, 2) : 0;
    if (one_in(2)) drawn.start_timeout = odd_timeout;
    drawn.busy = one_in(2) ? std::chrono::nanoseconds{10us} : std::chrono::nanoseconds{1s};
    return drawn;
  }

  std::mt19937_64& lot() { return lot_; }

 private:
  int up_to(int least, int most) {
    return least + static_cast<int>(lot_() % static_cast<unsigned>(most - least + 1));
  }
  bool one_in(unsigned times) { return lot_() % times == 0; }

  job_plan some_job() {
    const auto size = [&](int most) { return static_cast<std::size_t>(up_to(0, most)); };
    const std::size_t chunksize = one_in(2) ? size(3) : size(20);
    job_plan drawn = items(size(one_in(3) ? 60 : 8), chunksize);
    if (one_in(2)) drawn.limits.window = chunksize + 1 + size(8);
    drawn.limits.held_until_consumed = one_in(2);
    drawn.looks_ahead = one_in(2);
    if (one_in(4) && drawn.items > 0) drawn.fails_at = lot_() % drawn.items;
    drawn.ends_at_first_failure = one_in(4);
    return drawn;
  }

  std::mt19937_64 lot_;
};

std::string text(const plan& of) {
  std::ostringstream out;
  out << of.processes << " workers" << (of.late_jobs ? ", late jobs" : "")
      << (of.batches ? ", batches" : "") << (of.revocable ? ", revokes" : "")
      << (of.late_frames ? ", late frames" : "") << ", items of " << of.busy.count() << " ns;";
  for (const job_plan& each : of.jobs) {
    out << " [" << each.items << " items in " << each.limits.chunksize << "s, window "
        << each.limits.window << (each.limits.held_until_consumed ? ", held" : "")
        << (each.looks_ahead ? ", looks ahead" : "")
        << (each.ends_at_first_failure ? ", ends at first failure" : "");
    if (each.fails_at < each.items) out << ", throws at " << each.fails_at;
    out << ']';
  }
  return out.str();
}

void walk_by(std::uint64_t seed) {
  dealer deals{seed};
  plan drawn = deals.some_plan();
  const std::string name = "COTERIE_WALK_SEED=" + std::to_string(seed) + ": " + text(drawn);
  drawn.name = name.c_str();
  walk(drawn, deals.lot());
}

void check_some(const plan& of) {
  for (std::uint64_t seed = first_seed(); seed < first_seed() + walks; ++seed) {
    const std::string name = "COTERIE_WALK_SEED=" + std::to_string(seed) + ": " + of.name;
    plan named = of;
    named.name = name.c_str();
    std::mt19937_64 lot{seed};
    walk(named, lot);
  }
}

}  // namespace

TEST_CASE("given pools of any kind, when anything happens in them, then every promise is kept") {
  for (std::uint64_t seed = first_seed(); seed < first_seed() + 4 * walks; ++seed) walk_by(seed);
}

TEST_CASE("given pools that broke a promise once, when the same happens, then it is kept") {
  for (const std::uint64_t seed : {443625177U, 670202306U, 1583878337U, 3219186350U, 3755269313U}) {
    walk_by(seed);
  }
  for (std::uint64_t seed = 1; seed <= walks / 10; ++seed) walk_by(seed);
}

TEST_CASE("given a large pool, when anything happens in it, then every promise is kept") {
  plan all{.name = "lot",
           .processes = 4,
           .jobs = {items(6, 1), items(6, 3), items(6, 2, 4, true), items(3, 0)},
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
  all.revocable = true;
  all.refusals = 3;
  check_some(all);
  all.busy = 10us;
  all.jobs = {items(60, 0), items(60, 20), items(30, 2, 8, true), items(3, 0)};
  check_some(all);
}
