// SPDX-License-Identifier: BSL-1.0

// What a call costs, in one run and as ratios: one call beside the round trip of a bare socket
// pair, a million items beside Python's Pool.map, and a stream of short tasks beside the ideal.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <coterie/coterie.hpp>

#include "raw_round_trip.hpp"

namespace asio = boost::asio;
using clock_type = std::chrono::steady_clock;

namespace {

constexpr int runs = 5;

double seconds_since(clock_type::time_point begin) {
  return std::chrono::duration<double>(clock_type::now() - begin).count();
}

struct spread {
  double least, median, most;
};

spread spread_of(std::vector<double> values) {
  std::ranges::sort(values);
  return {values.front(), values[values.size() / 2], values.back()};
}

void expect(bool right, const char* what) {
  if (right) return;
  fmt::print(stderr, "wrong result: {}\n", what);
  std::exit(1);
}

std::int64_t identity(std::int64_t number) { return number; }
std::int64_t triple(std::int64_t number) { return 3 * number; }

// Works, rather than waits, for ten microseconds.
std::int64_t busy_10_us(std::int64_t number) {
  const auto end = clock_type::now() + std::chrono::microseconds{10};
  while (clock_type::now() < end) {
  }
  return number;
}

asio::awaitable<spread> microseconds_per_apply(coterie::pool& pool, int calls) {
  for (int warm_up = 0; warm_up < 1000; ++warm_up) co_await pool.apply(identity, 1);
  std::vector<double> medians;
  for (int run = 0; run < runs; ++run) {
    std::vector<double> times;
    for (std::int64_t call = 0; call < calls; ++call) {
      const auto begin = clock_type::now();
      const std::int64_t result = co_await pool.apply(identity, call);
      times.push_back(seconds_since(begin) * 1e6);
      expect(result == call, "apply");
    }
    medians.push_back(spread_of(std::move(times)).median);
  }
  co_return spread_of(std::move(medians));
}

asio::awaitable<spread> items_per_second(coterie::pool& pool, std::int64_t count) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  std::vector<double> rates;
  for (int run = 0; run <= runs; ++run) {
    const auto begin = clock_type::now();
    const auto results = co_await pool.map(triple, numbers);
    const double rate = static_cast<double>(count) / seconds_since(begin);
    if (run > 0) rates.push_back(rate);
    expect(std::ranges::equal(results, numbers, {}, {}, triple), "map");
  }
  co_return spread_of(std::move(rates));
}

asio::awaitable<spread> tasks_per_second(coterie::pool& pool, std::int64_t count) {
  std::vector<double> rates;
  for (int run = 0; run < runs; ++run) {
    std::int64_t sum = 0;
    const auto begin = clock_type::now();
    auto results =
        pool.imap_unordered(busy_10_us, std::views::iota(std::int64_t{0}, count), {.chunksize = 1});
    while (const auto result = co_await results.next()) sum += *result;
    rates.push_back(static_cast<double>(count) / seconds_since(begin));
    expect(sum == count * (count - 1) / 2, "imap_unordered");
  }
  co_return spread_of(std::move(rates));
}

double python_items_per_second(int processes, std::int64_t count) {
  const std::string command = fmt::format("python3 {}/overview/python_map.py {} {} {}",
                                          COTERIE_BENCH_FOLDER, processes, count, runs);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> output{::popen(command.c_str(), "r"),
                                                               ::pclose};
  double rate = 0;
  if (!output || std::fscanf(output.get(), "%lf", &rate) != 1) {
    fmt::print(stderr, "python3 did not answer; its figure is left out\n");
  }
  return rate;
}

void print_row(const char* what, const spread& ours, const char* unit, const char* peer,
               double theirs, double ratio, const char* target) {
  fmt::print("{:<34} {:>12.6g} {:<9} ({:.6g} to {:.6g})\n", what, ours.median, unit, ours.least,
             ours.most);
  fmt::print("  {:<32} {:>12.6g} {:<9} ratio {:.3g} (target: {})\n\n", peer, theirs, unit, ratio,
             target);
}

asio::awaitable<void> program() {
  constexpr int processes = 2;
  const double raw_before = raw_round_trip(64, 50'000);
  coterie::pool pool{co_await asio::this_coro::executor, {.processes = processes}};

  const spread apply = co_await microseconds_per_apply(pool, 10'000);
  const double raw_after = raw_round_trip(64, 50'000);
  const double raw = (raw_before + raw_after) / 2;

  constexpr std::int64_t many = 1'000'000;
  const spread map = co_await items_per_second(pool, many);
  const double python = python_items_per_second(processes, many);

  const spread stream = co_await tasks_per_second(pool, 100'000);
  const double ideal = processes / 10e-6;

  fmt::print("{} workers; each figure is the median of {} runs, with the least and the most\n\n",
             processes, runs);
  print_row("apply", apply, "us", "64 bytes over a socket pair", raw, apply.median / raw,
            "at most 1.6");
  print_row("map of 1,000,000 int64_t", map, "items/s", "Python's Pool.map", python,
            python > 0 ? map.median / python : 0, "at least 20");
  print_row("imap_unordered, tasks of 10 us", stream, "tasks/s", "ideal: 100% busy workers", ideal,
            stream.median / ideal, "at least 0.6");
}

}  // namespace

int main(int argc, char** argv) { return coterie::run(argc, argv, program); }
