// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "scheduler_model.hpp"
#include "support/sanitized.hpp"

/// Ways through the world of scheduler_model.hpp: all of them, or one chosen by lot.
namespace scheduler_model {

// No multiple of a millisecond, as all other times are: so nothing else falls due together with it.
inline constexpr std::chrono::nanoseconds odd_timeout =
    std::chrono::seconds{1} + std::chrono::microseconds{500};

inline job_plan items(std::size_t count, std::size_t chunksize, std::size_t window = 0,
                      bool held = false) {
  return {.items = count,
          .limits = {.chunksize = chunksize, .window = window, .held_until_consumed = held}};
}

struct tally {
  std::size_t orders = 0;
  std::size_t steps = 0;
  bool complete = true;
};

// No clock decides how much is tried: a slow machine tries the same. Under sanitizers, which look
// for other faults, some orders will do.
inline constexpr std::size_t most_steps = test::sanitized ? 200'000 : 20'000'000;

template <class Action>
void attempt(const plan& of, const std::vector<event>& path, Action action) {
  try {
    action();
  } catch (const violation& broken) {
    std::string story;
    for (const event& each : path) story += text(each);
    throw violation{std::string{"broken: "} + broken.what() + "\n in: " + of.name +
                    "\n after: " + story};
  }
}

inline world begin(const plan& of) {
  std::optional<world> begun;
  attempt(of, {}, [&] { begun.emplace(of); });
  return *begun;
}

inline void explore(const plan& of, const world& from, std::vector<event>& path, tally& so_far) {
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

/// Every order of events.
inline void check_all(const plan& of) {
  tally found;
  std::vector<event> path;
  explore(of, begin(of), path, found);
  INFO(of.name << ": " << found.orders << " orders, " << found.steps << " steps");
  if (!test::sanitized) CHECK(found.complete);
}

/// One order of events; returns how many there were.
inline std::size_t walk(const plan& of, std::mt19937_64& lot) {
  std::vector<event> path;
  world here = begin(of);
  for (;;) {
    const std::vector<event> possible = here.possible();
    if (std::ranges::none_of(possible, comes_by_itself)) {
      attempt(of, path, [&] { here.check_rest(); });
    }
    if (possible.empty()) return path.size();
    path.push_back(possible[lot() % possible.size()]);
    attempt(of, path, [&] { here.happen(path.back()); });
  }
}

}  // namespace scheduler_model
