// SPDX-License-Identifier: BSL-1.0

// Shows random numbers that can be had again: each item has a seed of its own, which depends on the
// call and on the item's index, not on the worker that runs it. So an estimate is the same, to the
// last bit, for any number of workers and any size of chunks.

#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

#include <coterie/coterie.hpp>

#include "example.hpp"

namespace asio = boost::asio;

namespace {

/// Of so many random points in the unit square, those in the quarter of a circle.
std::int64_t count_hits(std::int64_t points) {
  std::mt19937_64 random{coterie::this_worker::seed()};
  std::uniform_real_distribution<double> coordinate;
  std::int64_t hits = 0;
  for (std::int64_t each = 0; each < points; ++each) {
    const double x = coordinate(random);
    const double y = coordinate(random);
    if (x * x + y * y < 1) ++hits;
  }
  return hits;
}

asio::awaitable<double> estimate(int processes, int batches, std::uint64_t seed) {
  coterie::pool pool{co_await asio::this_coro::executor, {.processes = processes}};
  constexpr std::int64_t points = 20'000;
  const std::vector<std::int64_t> items(static_cast<std::size_t>(batches), points);
  const auto hits = co_await pool.map(count_hits, items, {.seed = seed});
  const auto all = std::accumulate(hits.begin(), hits.end(), std::int64_t{0});
  co_return 4.0 * static_cast<double>(all) / static_cast<double>(points * batches);
}

asio::awaitable<int> program(int argc, char** argv) {
  int batches = 50;
  std::uint64_t seed = 1;
  CLI::App app{"Estimates pi by random points: the same for any number of workers."};
  app.add_option("--batches", batches, "How many times 20000 points")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--seed", seed, "Where the random numbers begin")->capture_default_str();
  if (const auto code = example::parse(app, argc, argv)) co_return *code;

  const double first = co_await estimate(1, batches, seed);
  fmt::print("1 worker:  pi is about {:.6f}\n", first);
  for (const int processes : {2, 3}) {
    const double other = co_await estimate(processes, batches, seed);
    fmt::print("{} workers: pi is about {:.6f}\n", processes, other);
    example::check(other == first, "the estimate depends on the number of workers");
  }
  const double reseeded = co_await estimate(2, batches, seed + 1);
  fmt::print(
      "With another seed: {:.6f}\n\n{} of 20000 points, each with random numbers of its own: its "
      "seed comes from\nthe call and from its index, so the number of workers changes no digit.\n",
      reseeded, example::count(batches, "batch", "batches"));
  co_return 0;
}

}  // namespace

int main(int argc, char** argv) { return coterie::run(argc, argv, program); }
