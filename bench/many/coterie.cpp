// SPDX-License-Identifier: BSL-1.0

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <ranges>
#include <thread>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

#include <coterie/bind.hpp>
#include <coterie/init.hpp>
#include <coterie/pool.hpp>

#include "../support/coterie_run.hpp"

namespace asio = boost::asio;

namespace {

std::int64_t sleep_and_return(std::int64_t milliseconds, std::int64_t number) {
  std::this_thread::sleep_for(std::chrono::milliseconds{milliseconds});
  return number;
}

/// Each worker takes some descriptors of the parent. Most systems give 1024 unless asked.
void want_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

asio::awaitable<int> program(int argc, char** argv) {
  std::int64_t tasks = 5'120;
  std::int64_t sleep_ms = 50;
  const bench::coterie_run run{
      argc,
      argv,
      "Many workers, and tasks that sleep.",
      {{"tasks", &tasks, "How many"}, {"sleep-ms", &sleep_ms, "Milliseconds that each sleeps"}}};
  want_descriptors();

  const bench::stopwatch start_watch;
  std::optional<coterie::pool> pool{std::in_place, co_await asio::this_coro::executor,
                                    run.options()};
  co_await run.ready(*pool);
  const double start_seconds = start_watch.seconds();

  const auto numbers = std::views::iota(std::int64_t{0}, tasks);
  const auto warm_up = std::views::iota(std::int64_t{0}, run.processes());
  co_await pool->map(coterie::bind(sleep_and_return, std::int64_t{1}), warm_up, {.chunksize = 1});
  const double cpu_before = bench::cpu_seconds();
  const bench::stopwatch watch;
  const auto results =
      co_await pool->map(coterie::bind(sleep_and_return, sleep_ms), numbers, {.chunksize = 1});
  const double seconds = watch.seconds();
  const double cpu = bench::cpu_seconds() - cpu_before;
  bench::expect(std::ranges::equal(results, numbers), "map");

  const auto workers = static_cast<std::uint64_t>(run.processes());
  bench::expect(pool->stats().workers_started == workers, "the number of workers started");
  bench::expect(pool->stats().workers_crashed == 0, "the number of workers crashed");
  const bench::stopwatch stop_watch;
  pool.reset();
  const double stop_seconds = stop_watch.seconds();
  bench::expect(bench::no_child_left(), "no process is left");

  // Rounds of tasks that sleep at the same time.
  const auto rounds = static_cast<double>((tasks + run.processes() - 1) / run.processes());
  bench::print({{"seconds", seconds},
                {"beside_ideal", seconds / (1e-3 * static_cast<double>(sleep_ms) * rounds)},
                {"parent_cpu_seconds_per_task", cpu / static_cast<double>(tasks)},
                {"start_seconds", start_seconds},
                {"stop_seconds", stop_seconds}});
  co_return 0;
}

}  // namespace

int main(int argc, char** argv) { return coterie::run(argc, argv, program); }
