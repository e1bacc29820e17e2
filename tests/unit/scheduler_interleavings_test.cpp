// SPDX-License-Identifier: BSL-1.0

// Every order in which things can happen to a scheduler, in worlds small enough to try them all; and
// some orders, chosen by lot, in larger ones.

#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "scheduler_model.hpp"

namespace {

using namespace scheduler_model;
using namespace std::chrono_literals;

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
  WARN(of.name << ": " << found.orders << " orders, " << found.steps << " steps");
  CHECK(found.complete);
}

job_plan items(std::size_t count, std::size_t chunksize, std::size_t window = 0,
               bool held = false) {
  return {.items = count,
          .limits = {.chunksize = chunksize, .window = window, .held_until_consumed = held}};
}

}  // namespace

TEST_CASE("x") {
  check_all({.name = "one worker", .processes = 1, .jobs = {items(3, 1)}, .crashes = 1});
}
