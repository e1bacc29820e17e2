// SPDX-License-Identifier: BSL-1.0

#include <algorithm>
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

asio::awaitable<int> program(int argc, char** argv) {
  std::int64_t tasks = 100'000;
  std::int64_t task_ns = 10'000;
  const bench::coterie_run run{
      argc,
      argv,
      "A map of tasks of equal length, chunks of automatic size.",
      {{"tasks", &tasks, "How many"}, {"task-ns", &task_ns, "Nanoseconds of work each"}}};
  coterie::pool pool{co_await asio::this_coro::executor, run.options()};
  co_await run.ready(pool);

  const auto numbers = std::views::iota(std::int64_t{0}, tasks);
  const auto task = coterie::bind(bench::spin_and_return, task_ns);
  co_await pool.map(task, std::views::iota(std::int64_t{0}, 1 + tasks / 20));
  const bench::stopwatch watch;
  const auto results = co_await pool.map(task, numbers);
  const double seconds = watch.seconds();
  bench::expect(std::ranges::equal(results, numbers), "map");

  const double ideal =
      1e-9 * static_cast<double>(task_ns * tasks) / static_cast<double>(run.processes());
  bench::print({{"seconds", seconds}, {"efficiency", ideal / seconds}});
  co_return 0;
}

}  // namespace

int main(int argc, char** argv) { return coterie::run(argc, argv, program); }
