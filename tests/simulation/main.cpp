// SPDX-License-Identifier: BSL-1.0

// Runs a pool by seeds: see world.hpp.

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <fstream>
#include <new>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "world.hpp"

// ---- what a world leaves behind ----

namespace {

std::size_t blocks = 0;  // of the heap

}  // namespace

void* operator new(std::size_t size) {
  void* const found = std::malloc(size == 0 ? 1 : size);
  if (found == nullptr) throw std::bad_alloc{};
  ++blocks;
  return found;
}
void operator delete(void* memory) noexcept {
  if (memory != nullptr) --blocks;
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }

namespace {

// The lowest descriptor that is not open: greater after one was left open.
int next_descriptor() {
  const int found = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::close(found);
  return found;
}

struct belongings {
  std::size_t blocks_of_heap = blocks;
  int descriptor = next_descriptor();

  bool operator==(const belongings&) const = default;
};

simulation::summary run_once(std::uint64_t seed, std::FILE* story) {
  simulation::world world{seed, story};
  return world.run();
}

simulation::summary run(std::uint64_t seed, bool tells_story) {
  belongings before;
  const simulation::summary found = run_once(seed, tells_story ? stdout : nullptr);
  if (belongings{} == before) return found;
  // What is made once for the life of a process is not made again.
  before = belongings{};
  run_once(seed, nullptr);
  const belongings after;
  if (after.descriptor != before.descriptor) throw std::runtime_error{"a descriptor is left open"};
  if (after.blocks_of_heap != before.blocks_of_heap) {
    throw std::runtime_error{std::to_string(after.blocks_of_heap - before.blocks_of_heap) +
                             " blocks of the heap are left behind"};
  }
  return found;
}

// ---- arguments ----

struct arguments {
  std::uint64_t first = 0;
  std::uint64_t seeds = 1;
  std::vector<std::uint64_t> known;  // instead, if there are any
  std::chrono::seconds time{};       // 0: as many as `seeds` says
  bool story = false;
  bool twice = false;
};

[[noreturn]] void usage(int code) {
  std::fputs(
      "usage: simulation [--seed N | --new | --known FILE] [--seeds COUNT | --seconds TIME]\n"
      "                  [--story] [--twice]\n"
      "\n"
      "Runs pools in made-up worlds, one for each seed, and checks that no rule is broken.\n"
      "\n"
      "  --seed N        the first seed\n"
      "  --seeds COUNT   so many seeds, one after the other\n"
      "  --new           begins with a seed that the system chooses\n"
      "  --known FILE    the seeds that are listed there\n"
      "  --seconds TIME  goes on for so long\n"
      "  --story         tells what happens\n"
      "  --twice         runs each seed again, and wants the same story\n",
      code == 0 ? stdout : stderr);
  std::exit(code);
}

// Each line begins with a seed; what is behind it says why it is known.
std::vector<std::uint64_t> read_seeds(const std::string& name) {
  std::vector<std::uint64_t> found;
  std::ifstream file{name};
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.front() != '#') found.push_back(std::stoull(line));
  }
  if (found.empty()) throw std::runtime_error{"no seeds in " + name};
  return found;
}

arguments read_arguments(int argc, char** argv) {
  arguments found;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const auto value = [&]() -> std::string {
      if (i + 1 == argc) usage(2);
      return argv[++i];
    };
    if (name == "--seed") {
      found.first = std::stoull(value());
    } else if (name == "--seeds") {
      found.seeds = std::stoull(value());
    } else if (name == "--seconds") {
      found.time = std::chrono::seconds{std::stoull(value())};
    } else if (name == "--new") {
      found.first = std::random_device{}() * std::uint64_t{1'000'000};
    } else if (name == "--known") {
      found.known = read_seeds(value());
    } else if (name == "--story") {
      found.story = true;
    } else if (name == "--twice") {
      found.twice = true;
    } else {
      usage(name == "--help" ? 0 : 2);
    }
  }
  return found;
}

// ---- seeds ----

class series {
 public:
  explicit series(const arguments& wanted) : wanted_{wanted} {}

  /// Whether no rule was broken.
  bool run_all() {
    const auto begun = clock::now();
    const std::clock_t cpu_time = std::clock();
    if (!wanted_.known.empty()) {
      for (const std::uint64_t each : wanted_.known) run_one(each);
    } else {
      const auto enough = [&](std::uint64_t next) {
        if (wanted_.time.count() > 0) return clock::now() - begun >= wanted_.time;
        return next - wanted_.first == wanted_.seeds;
      };
      for (std::uint64_t next = wanted_.first; !enough(next); ++next) run_one(next);
    }
    const double took = static_cast<double>(std::clock() - cpu_time) / CLOCKS_PER_SEC;
    const std::chrono::duration<double> simulated = all_.time;
    std::printf(
        "%zu items, %zu workers, %zu deaths, %zu steps: %.0f s of made-up time in %.1f s of a "
        "CPU, %.0f times as fast\n",
        all_.items, all_.workers, all_.deaths, all_.steps, simulated.count(), took,
        simulated.count() / took);
    std::printf("%zu seeds, %zu broken\n", seeds_, broken_);
    return broken_ == 0;
  }

 private:
  using clock = std::chrono::steady_clock;

  void run_one(std::uint64_t seed) {
    ++seeds_;
    try {
      const auto what = run(seed, wanted_.story);
      if (wanted_.twice && run(seed, false).hash != what.hash) {
        throw std::runtime_error{"it does not happen again in the same way"};
      }
      all_.time += what.time;
      all_.items += what.items;
      all_.workers += what.workers;
      all_.deaths += what.deaths;
      all_.steps += what.steps;
    } catch (const std::exception& error) {
      ++broken_;
      std::printf("seed %llu: %s\n  its story: simulation --seed %llu --story\n",
                  static_cast<unsigned long long>(seed), error.what(),
                  static_cast<unsigned long long>(seed));
    }
  }

  const arguments wanted_;
  simulation::summary all_;
  std::size_t seeds_ = 0;
  std::size_t broken_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  try {
    return series{read_arguments(argc, argv)}.run_all() ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "simulation: %s\n", error.what());
    return 2;
  }
}
