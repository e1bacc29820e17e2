// SPDX-License-Identifier: BSL-1.0

// Runs a pool by seeds: see world.hpp.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <random>
#include <string>

#include "world.hpp"

namespace {

struct arguments {
  std::uint64_t first = 0;
  std::uint64_t seeds = 1;
  std::chrono::seconds time{};  // 0: as many as `seeds` says
  bool chance = false;          // begin with a seed of the system's choice
  bool story = false;
};

[[noreturn]] void usage(int code) {
  std::fputs(
      "usage: simulation [--seed N] [--seeds COUNT] [--new] [--seconds TIME] [--story]\n"
      "\n"
      "Runs pools in made-up worlds, one for each seed, and checks that no rule is broken.\n"
      "\n"
      "  --seed N        the first seed\n"
      "  --seeds COUNT   so many seeds, one after the other\n"
      "  --new           begins with a seed that the system chooses\n"
      "  --seconds TIME  goes on for so long\n"
      "  --story         tells what happens\n",
      code == 0 ? stdout : stderr);
  std::exit(code);
}

arguments read_arguments(int argc, char** argv) {
  arguments found;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const auto value = [&] {
      if (i + 1 == argc) usage(2);
      return std::strtoull(argv[++i], nullptr, 10);
    };
    if (name == "--seed") {
      found.first = value();
    } else if (name == "--seeds") {
      found.seeds = value();
    } else if (name == "--seconds") {
      found.time = std::chrono::seconds{value()};
    } else if (name == "--new") {
      found.chance = true;
    } else if (name == "--story") {
      found.story = true;
    } else {
      usage(name == "--help" ? 0 : 2);
    }
  }
  if (found.chance) found.first = std::random_device{}() * std::uint64_t{1'000'000};
  return found;
}

}  // namespace

int main(int argc, char** argv) {
  const arguments wanted = read_arguments(argc, argv);
  using clock = std::chrono::steady_clock;
  const auto begun = clock::now();
  simulation::summary all;
  std::uint64_t seed = wanted.first;
  std::uint64_t failed = 0;
  for (;; ++seed) {
    const bool enough = wanted.time.count() > 0 ? clock::now() - begun >= wanted.time
                                                : seed - wanted.first == wanted.seeds;
    if (enough) break;
    try {
      simulation::world world{seed, wanted.story ? stdout : nullptr};
      const auto what = world.run();
      all.time += what.time;
      all.items += what.items;
      all.workers += what.workers;
      all.deaths += what.deaths;
      all.steps += what.steps;
      if (wanted.story) {
        std::printf("seed %llu: %zu lines, hash %016llx\n", static_cast<unsigned long long>(seed),
                    what.lines, static_cast<unsigned long long>(what.hash));
      }
    } catch (const std::exception& problem) {
      ++failed;
      std::printf("seed %llu: %s\n  its story: simulation --seed %llu --story\n",
                  static_cast<unsigned long long>(seed), problem.what(),
                  static_cast<unsigned long long>(seed));
    }
  }
  const std::chrono::duration<double> took = clock::now() - begun;
  const std::chrono::duration<double> simulated = all.time;
  std::printf(
      "%llu seeds from %llu, %llu broken: %zu items, %zu workers, %zu deaths, %zu steps, %.0f s of "
      "made-up time in %.1f s (%.0f times as fast)\n",
      static_cast<unsigned long long>(seed - wanted.first),
      static_cast<unsigned long long>(wanted.first), static_cast<unsigned long long>(failed),
      all.items, all.workers, all.deaths, all.steps, simulated.count(), took.count(),
      simulated.count() / took.count());
  return failed == 0 ? 0 : 1;
}
