// SPDX-License-Identifier: BSL-1.0

#include <ranges>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

#include <coterie/bind.hpp>
#include <coterie/init.hpp>
#include <coterie/pool.hpp>

#include "../support/coterie_run.hpp"
#include "../support/spin.hpp"

namespace asio = boost::asio;

namespace {

template <class Function>
asio::awaitable<void> stream(coterie::pool& pool, Function function, std::int64_t tasks) {
  std::int64_t sum = 0;
  auto results =
      pool.imap_unordered(function, std::views::iota(std::int64_t{0}, tasks), {.chunksize = 1});
  while (const auto result = co_await results.next()) sum += *result;
  bench::expect(sum == bench::sum_below(tasks), "the sum of the results");
}

asio::awaitable<int> program(int argc, char** argv) {
  std::int64_t tasks = 1'000'000;
  std::int64_t task_ns = 0;
  const bench::coterie_run run{
      argc,
      argv,
      "Many short tasks, each a message of its own, results as they finish.",
      {{"tasks", &tasks, "How many"}, {"task-ns", &task_ns, "Nanoseconds of work; 0: trivial"}}};
  coterie::pool pool{co_await asio::this_coro::executor, run.options()};
  co_await run.ready(pool);

  const auto all = [&](std::int64_t count) {
    return task_ns == 0 ? stream(pool, bench::identity, count)
                        : stream(pool, coterie::bind(bench::spin_and_return, task_ns), count);
  };
  co_await all(1 + tasks / 20);
  const double cpu_before = bench::cpu_seconds();
  const bench::stopwatch watch;
  co_await all(tasks);
  const double seconds = watch.seconds();
  const double cpu = bench::cpu_seconds() - cpu_before;

  const auto count = static_cast<double>(tasks);
  const double ideal =
      1e-9 * static_cast<double>(task_ns) * count / static_cast<double>(run.processes());
  bench::print({{"seconds", seconds},
                {"tasks_per_second", count / seconds},
                {"parent_cpu_seconds_per_task", cpu / count},
                {"efficiency", ideal / seconds}});
  co_return 0;
}

}  // namespace

int main(int argc, char** argv) { return coterie::run(argc, argv, program); }
