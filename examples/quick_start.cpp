// SPDX-License-Identifier: BSL-1.0

// The first steps: squares of some numbers, a first speed-up, and factorials checked against a
// serial run.

#include <cstdint>
#include <ranges>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/ranges.h>

#include <coterie/coterie.hpp>

#include "example.hpp"

namespace asio = boost::asio;

namespace {

// Tasks are plain functions.
int square(int number) { return number * number; }

std::uint64_t factorial(int number) {
  return number < 2 ? 1 : static_cast<std::uint64_t>(number) * factorial(number - 1);
}

/// How many steps the Collatz rule takes from `number` to 1.
int collatz_steps(std::uint64_t number) {
  int steps = 0;
  for (; number != 1; ++steps) number = number % 2 == 0 ? number / 2 : 3 * number + 1;
  return steps;
}

asio::awaitable<void> squares(coterie::pool& pool) {
  const std::vector<int> numbers{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  const std::vector<int> result = co_await pool.map(square, numbers);

  fmt::print("Squares of {}:\n  {}\n\n", numbers, fmt::join(result, " "));
  const std::vector<int> expected{1, 4, 9, 16, 25, 36, 49, 64, 81, 100};
  example::check(result == expected, "squares");
}

asio::awaitable<void> first_speed_up(coterie::pool& pool, int size) {
  const auto numbers = std::views::iota(std::uint64_t{1}, static_cast<std::uint64_t>(size) + 1);

  const example::stopwatch serial_watch;
  std::vector<int> expected;
  for (const std::uint64_t number : numbers) expected.push_back(collatz_steps(number));
  const double serial = serial_watch.seconds();

  // Any range will do, this one makes its numbers as they are asked for.
  const example::stopwatch pool_watch;
  const std::vector<int> steps = co_await pool.map(collatz_steps, numbers);
  const std::vector runs{example::pool_run{pool.size(), pool_watch.seconds()}};

  fmt::print("Collatz steps of the numbers 1 to {}, {} at most:\n", size,
             *std::ranges::max_element(steps));
  example::print_speed_up(serial, runs);
  fmt::print("The pool took 1/{:.2f} of the serial time.\n\n", runs.front().speed_up(serial));
  example::check(steps == expected, "Collatz steps differ from the serial run's");
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
  int size = 400'000;
  CLI::App app{"First steps: squares, a first speed-up, factorials."};
  example::add_processes(app, processes);
  app.add_option("--size", size, "How many numbers the speed-up is measured on")
      ->check(CLI::Range(1, 100'000'000))
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
