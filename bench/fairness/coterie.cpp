// SPDX-License-Identifier: BSL-1.0

#include <chrono>
#include <exception>
#include <ranges>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <coterie/bind.hpp>
#include <coterie/init.hpp>
#include <coterie/pool.hpp>

#include "../support/coterie_run.hpp"
#include "../support/spin.hpp"

namespace asio = boost::asio;

namespace {

asio::awaitable<void> one_apply(coterie::pool& pool, std::int64_t number,
                                std::vector<double>& waits) {
  const bench::stopwatch watch;
  const std::int64_t result = co_await pool.apply(bench::identity, number);
  waits.push_back(watch.seconds());
  bench::expect(result == number, "apply");
}

void rethrow(std::exception_ptr problem) {
  if (problem) std::rethrow_exception(problem);
}

asio::awaitable<int> program(int argc, char** argv) {
  std::int64_t tasks = 200'000;
  std::int64_t task_ns = 100'000;
  std::int64_t chunksize = 0;
  std::int64_t chunk_ns = 2'000'000;
  std::int64_t every_ms = 5;
  const bench::coterie_run run{argc,
                               argv,
                               "Single calls during a long map.",
                               {{"tasks", &tasks, "Items of the map"},
                                {"task-ns", &task_ns, "Nanoseconds of work each"},
                                {"chunksize", &chunksize, "0: automatic"},
                                {"chunk-ns", &chunk_ns, "How long a chunk then takes"},
                                {"every-ms", &every_ms, "Milliseconds from call to call"}}};
  const auto executor = co_await asio::this_coro::executor;
  coterie::pool pool{executor, run.options()};
  co_await run.ready(pool);
  co_await pool.map(bench::identity, std::vector<std::int64_t>(1000));

  std::vector<double> waits;
  std::size_t calls = 0;
  const bench::stopwatch watch;
  const auto map = pool.map_async(coterie::bind(bench::spin_and_return, task_ns),
                                  std::views::iota(std::int64_t{0}, tasks),
                                  {.chunksize = static_cast<std::size_t>(chunksize)});
  // A call is made whether or not the last one has been answered.
  asio::steady_timer timer{executor};
  auto next = std::chrono::steady_clock::now();
  while (!map.ready()) {
    asio::co_spawn(executor, one_apply(pool, static_cast<std::int64_t>(calls++), waits), rethrow);
    timer.expires_at(next += std::chrono::milliseconds{every_ms});
    co_await timer.async_wait(asio::use_awaitable);
  }
  const auto results = co_await map.get();
  const double seconds = watch.seconds();
  while (waits.size() < calls) {
    timer.expires_after(std::chrono::milliseconds{1});
    co_await timer.async_wait(asio::use_awaitable);
  }
  std::int64_t sum = 0;
  for (const std::int64_t result : results) sum += result;
  bench::expect(sum == bench::sum_below(tasks), "map");

  const double p99 = bench::quantile(waits, 0.99);
  const double ideal =
      1e-9 * static_cast<double>(task_ns * tasks) / static_cast<double>(run.processes());
  bench::print({{"median_wait_seconds", bench::quantile(waits, 0.5)},
                {"p99_wait_seconds", p99},
                {"longest_wait_seconds", bench::quantile(waits, 1)},
                {"p99_wait_in_chunks", 1e9 * p99 / static_cast<double>(chunk_ns)},
                {"map_efficiency", ideal / seconds},
                {"calls", static_cast<double>(calls)}});
  co_return 0;
}

}  // namespace

int main(int argc, char** argv) { return coterie::run(argc, argv, program); }
