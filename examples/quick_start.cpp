// SPDX-License-Identifier: BSL-1.0

// The first steps: squares of some numbers, a first speed-up, and factorials checked against a
// serial run.

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <ranges>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/ranges.h>

#include <coterie/coterie.hpp>

#include "coroutines.hpp"
#include "example.hpp"

namespace asio = boost::asio;

namespace {

// Tasks are plain functions.
int square(int number) { return number * number; }

std::uint64_t factorial(int number) {
  return number < 2 ? 1 : static_cast<std::uint64_t>(number) * factorial(number - 1);
}

constexpr int block_size = 10'000;

bool is_prime(int number) {
  if (number < 4) return number > 1;
  if (number % 2 == 0) return false;
  for (int divisor = 3; divisor <= number / divisor; divisor += 2) {
    if (number % divisor == 0) return false;
  }
  return true;
}

/// How many primes there are among the `block_size` numbers of one block. A task should have
/// something to do: this one runs for a millisecond or more.
int count_primes(int block) {
  const auto numbers = std::views::iota(block * block_size, (block + 1) * block_size);
  return static_cast<int>(std::ranges::count_if(numbers, is_prime));
}

asio::awaitable<void> squares(coterie::pool& pool) {
  const std::vector<int> numbers{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  const std::vector<int> result = co_await pool.map(square, numbers);

  fmt::print("Squares of {}:\n  {}\n\n", numbers, fmt::join(result, " "));
  const std::vector<int> expected{1, 4, 9, 16, 25, 36, 49, 64, 81, 100};
  example::check(result == expected, "squares");
}

asio::awaitable<void> first_speed_up(coterie::pool& pool, int size) {
  const auto blocks = std::views::iota(0, size);

  co_await example::all_workers_ready(pool);  // a program would keep its pool
  const example::stopwatch serial_watch;
  int expected = 0;
  for (const int block : blocks) expected += count_primes(block);
  const double serial = serial_watch.seconds();

  const example::stopwatch pool_watch;
  const std::vector<int> counts = co_await pool.map(count_primes, blocks);
  const int primes = std::accumulate(counts.begin(), counts.end(), 0);
  const std::vector runs{example::pool_run{pool.size(), pool_watch.seconds()}};

  fmt::print("Primes below {}: {}\n", size * block_size, primes);
  example::print_speed_up(serial, runs);
  fmt::print("Speed-up: the serial time over the pool's. Efficiency: that for each worker.\n\n");
  example::check(primes == expected, "the serial run counts other primes");
  if (size == 200) example::check(primes == 148'933, "there are 148933 primes below 2 million");
}

asio::awaitable<void> factorials(coterie::pool& pool) {
  const auto numbers = std::views::iota(1, 21);
  const auto result = co_await pool.map(factorial, numbers);

  fmt::print("Factorials, by the pool and by a serial run:\n");
  for (const int number : numbers) {
    const std::uint64_t pooled = result[static_cast<std::size_t>(number) - 1];
    const std::uint64_t serial = factorial(number);
    fmt::print("  {:>2}! = {:>19}  {}\n", number, pooled, pooled == serial ? "same" : "DIFFERS");
    example::check(pooled == serial, fmt::format("{}!", number));
  }
  example::check(result.back() == 2'432'902'008'176'640'000, "20!");
}

asio::awaitable<int> program(int argc, char** argv) {
  int processes = 0;
  int size = 200;
  CLI::App app{"First steps: squares, a first speed-up, factorials."};
  example::add_processes(app, processes);
  app.add_option("--size", size, "Blocks of 10000 numbers in which primes are counted")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  if (const auto code = example::parse(app, argc, argv)) co_return *code;

  coterie::pool pool{co_await asio::this_coro::executor, {.processes = processes}};
  fmt::print("A pool of {}.\n\n", example::count(pool.size(), "worker"));
  co_await squares(pool);
  co_await first_speed_up(pool, size);
  co_await factorials(pool);
  co_return 0;
}

}  // namespace

// In a worker process `run` serves the pool and never calls `program`.
int main(int argc, char** argv) { return coterie::run(argc, argv, program); }
