// SPDX-License-Identifier: BSL-1.0

// The code of both sides of a link that runs without locks, in orders that this machine may never
// show, but that the memory model of C++ allows: Relacy chooses each step, and each value that a
// load may see.
//
// The arguments are names of structures; without any it is the turn of all.

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <limits>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "scenario.hpp"

namespace {

using memory_model::scenario;

struct structure {
  std::string_view name;
  std::vector<scenario> (*scenarios)();
};

constexpr structure all_structures[] = {
    {.name = "ring", .scenarios = memory_model::ring_scenarios},
    {.name = "bells", .scenarios = memory_model::bell_scenarios},
    {.name = "worker", .scenarios = memory_model::worker_scenarios},
    {.name = "claims", .scenarios = memory_model::claim_scenarios},
    {.name = "results", .scenarios = memory_model::result_scenarios},
    {.name = "segments", .scenarios = memory_model::segment_scenarios},
};

/// The number that an environment variable holds.
std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  if (text == nullptr) return otherwise;
  const char* const end = text + std::string_view{text}.size();
  std::uint64_t value = 0;
  const auto [stop, error] = std::from_chars(text, end, value);
  if (error != std::errc{} || stop != end || value == 0) {
    throw std::invalid_argument{std::string{name} + " must be a number above 0"};
  }
  return value;
}

// The number of the first interleaving. Relacy makes all choices of one from its number, and
// repeats itself after 2^32.
std::uint64_t make_seed() { return std::random_device{}() / 2 + 1; }

struct amount {
  std::uint64_t interleavings;
  std::uint64_t seed;
};

class runner {
 public:
  explicit runner(amount how_much) : how_much_{how_much} {}

  /// Says nothing of what goes right, but that it does.
  bool holds(const scenario& each) const {
    const auto started = std::chrono::steady_clock::now();
    rl::test_params how;
    how.search_type = each.search;
    if (each.search == rl::sched_random) {
      how.initial_state = std::to_string(how_much_.seed);
      how.iteration_count = how_much_.seed + how_much_.interleavings - 1;
    }
    std::ofstream nowhere{"/dev/null"};
    how.output_stream = how.progress_stream = &nowhere;
    const bool right = each.simulate(how);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
    const bool by_chance = each.search == rl::sched_random;
    const std::uint64_t count = how.stop_iteration - (by_chance ? how_much_.seed - 1 : 0);
    std::cout << (right ? "ok: " : "BROKEN: ") << each.says << " (" << count
              << (by_chance ? " interleavings, " : " interleavings, all there are, ")
              << static_cast<int>(took.count() * 10) / 10.0 << " s)" << std::endl;
    if (!right) show(each, how);
    return right;
  }

 private:
  static void show(const scenario& each, const rl::test_params& broken) {
    if (each.search == rl::sched_random) {
      std::cout << "the same again: COTERIE_SEED=" << broken.stop_iteration
                << " COTERIE_INTERLEAVINGS=1\n";
    }
    rl::test_params how;
    how.search_type = each.search;
    how.initial_state = broken.final_state;
    how.iteration_count = broken.stop_iteration;
    each.simulate(how);
  }

  amount how_much_;
};

int run(std::span<char*> names) {
  const amount how_much{.interleavings = number("COTERIE_INTERLEAVINGS", 50'000),
                        .seed = number("COTERIE_SEED", make_seed())};
  std::cout << "COTERIE_SEED=" << how_much.seed << std::endl;
  const runner all{how_much};
  bool right = true;
  std::size_t known = 0;
  for (const structure& each : all_structures) {
    if (!names.empty() && std::ranges::find(names, each.name) == names.end()) continue;
    ++known;
    for (const scenario& one : each.scenarios()) right = right && all.holds(one);
  }
  if (!names.empty() && known != names.size()) {
    throw std::invalid_argument{"there is no structure of that name"};
  }
  return right ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(std::span{argv, static_cast<std::size_t>(argc)}.subspan(1));
  } catch (const std::exception& problem) {
    std::cerr << problem.what() << '\n';
    return EXIT_FAILURE;
  }
}
