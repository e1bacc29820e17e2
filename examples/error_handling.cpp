// SPDX-License-Identifier: BSL-1.0

// Shows what becomes of errors: a `map` fails with the first one, `map_settled` keeps them apart
// from the values, a stream throws them one by one, and a worker that dies takes no other with it.

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

#include <coterie/coterie.hpp>

#include "example.hpp"

namespace asio = boost::asio;

namespace measures {

/// An exception of our own. Registered, it arrives as what it was; the standard ones do anyway.
struct bad_unit : std::runtime_error {
  using std::runtime_error::runtime_error;
};
[[maybe_unused]] static const bool registered = coterie::register_exception<bad_unit>();

}  // namespace measures

namespace {

using measures::bad_unit;

/// Reads a length such as "12 cm", in metres.
double parse_length(const std::string& text) {
  std::size_t end = 0;
  const double number = std::stod(text, &end);  // throws std::invalid_argument, std::out_of_range
  const std::string unit = text.substr(std::min(end + 1, text.size()));
  if (unit == "m") return number;
  if (unit == "cm") return number / 100;
  if (unit == "km") return number * 1000;
  throw bad_unit("no unit of length: '" + unit + "'");
}

/// What a library in a task might do: end the process.
int leave(int code) { std::_Exit(code); }

asio::awaitable<void> propagate(coterie::pool& pool) {
  const std::vector<std::string> lengths{"3 m", "12 cm", "seven km", "1 km"};
  bool caught = false;
  try {
    co_await pool.map(parse_length, lengths);
  } catch (const std::invalid_argument& problem) {
    const auto* origin = coterie::get_remote_info(problem);
    example::check(origin != nullptr && origin->item() == 2, "the error names its item");
    caught = true;
    fmt::print("map: item {} ('{}') failed in worker {} (pid {}) with {}: {}\n\n", origin->item(),
               lengths[origin->item()], origin->rank(), origin->pid(), origin->type_name(),
               problem.what());
  }
  example::check(caught, "map must fail");
}

asio::awaitable<void> settle(coterie::pool& pool, int size) {
  // Every seventh is no number, every tenth has no unit of length, and some are both.
  std::vector<std::string> lengths;
  std::size_t expected_failures = 0;
  double expected_sum = 0.0;
  for (int i = 1; i <= size; ++i) {
    const bool good = i % 7 != 0 && i % 10 != 0;
    if (good) expected_sum += i;
    if (!good) ++expected_failures;
    lengths.push_back((i % 7 == 0 ? "?" : std::to_string(i)) + (i % 10 == 0 ? " kg" : " m"));
  }

  double sum = 0.0;
  std::map<std::string, std::size_t> failures;
  const auto outcomes = co_await pool.map_settled(parse_length, lengths);
  for (const auto& outcome : outcomes) {
    if (outcome.has_value()) {
      sum += *outcome;
    } else {
      ++failures[coterie::get_remote_info(outcome.error())->type_name()];
    }
  }

  std::size_t failed = 0;
  for (const auto& [type, times] : failures) failed += times;
  fmt::print("map_settled: {} of {} lengths could be read, {:.0f} m together; {} could not\n",
             outcomes.size() - failed, outcomes.size(), sum, failed);
  for (const auto& [type, times] : failures) fmt::print("  {:>5} x {}\n", times, type);
  example::check(failed == expected_failures && sum == expected_sum, "failures or sum");
}

asio::awaitable<void> skip(coterie::pool& pool) {
  const std::vector<std::string> lengths{"3 m", "4 kg", "12 cm", "1e999 m", "1 km"};
  fmt::print("\nimap: each error in its place, and the stream goes on:\n");
  auto results = pool.imap(parse_length, lengths);
  int failed = 0;
  for (std::size_t i = 0;; ++i) {
    try {
      const auto length = co_await results.next();
      if (!length) break;
      fmt::print("  {:<8} {} m\n", lengths[i], *length);
    } catch (const bad_unit& problem) {  // as itself, because it is registered
      ++failed;
      fmt::print("  {:<8} {}\n", lengths[i], problem.what());
    } catch (const std::out_of_range&) {
      ++failed;
      fmt::print("  {:<8} too large\n", lengths[i]);
    }
  }
  example::check(failed == 2, "two of the five fail");
}

asio::awaitable<void> survive(coterie::pool& pool) {
  bool caught = false;
  try {
    co_await pool.apply(leave, 3);
  } catch (const coterie::worker_crashed& problem) {
    caught = problem.exit_code() == 3;
    fmt::print("\napply: {}\n", problem.what());
  }
  example::check(caught, "the death of a worker is an error of the call it was busy with");

  const std::vector<std::string> more{"1 m", "2 m", "3 m"};
  const std::vector<double> lengths = co_await pool.map(parse_length, more);
  fmt::print("The pool still works: {} of {} lengths read; {} replaced.\n", lengths.size(),
             more.size(), example::count(pool.stats().workers_crashed, "worker"));
  example::check(lengths == std::vector{1.0, 2.0, 3.0}, "lengths read after a crash");
}

asio::awaitable<int> program(int argc, char** argv) {
  int processes = 0;
  int size = 1'000;
  CLI::App app{"Errors: propagated, settled and counted, skipped in a stream; a crash survived."};
  example::add_processes(app, processes);
  app.add_option("--size", size, "Items whose successes and failures are counted")
      ->check(CLI::Range(1, 10'000'000))
      ->capture_default_str();
  if (const auto code = example::parse(app, argc, argv)) co_return *code;

  coterie::pool pool{co_await asio::this_coro::executor, {.processes = processes}};
  co_await propagate(pool);
  co_await settle(pool, size);
  co_await skip(pool);
  co_await survive(pool);
  co_return 0;
}

}  // namespace

int main(int argc, char** argv) { return coterie::run(argc, argv, program); }
