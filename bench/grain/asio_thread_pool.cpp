// SPDX-License-Identifier: BSL-1.0

// Threads instead of processes: each task is posted, and writes its result where it belongs.

#include <algorithm>
#include <latch>
#include <ranges>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include "../support/contender.hpp"
#include "../support/spin.hpp"

namespace asio = boost::asio;

namespace {

std::vector<std::int64_t> map(asio::thread_pool& threads, std::int64_t tasks,
                              std::int64_t task_ns) {
  std::vector<std::int64_t> results(static_cast<std::size_t>(tasks));
  std::latch rest{tasks};
  for (std::int64_t task = 0; task < tasks; ++task) {
    asio::post(threads, [&, task] {
      results[static_cast<std::size_t>(task)] = bench::spin_and_return(task_ns, task);
      rest.count_down();
    });
  }
  rest.wait();
  return results;
}

}  // namespace

int main(int argc, char** argv) {
  std::int64_t processes = 2;
  std::int64_t tasks = 100'000;
  std::int64_t task_ns = 10'000;
  bench::parse(argc, argv, "Tasks of equal length in a thread pool.",
               {{"processes", &processes, "Threads"},
                {"tasks", &tasks, "How many"},
                {"task-ns", &task_ns, "Nanoseconds of work each"}});

  asio::thread_pool threads{static_cast<std::size_t>(processes)};
  map(threads, 1 + tasks / 20, task_ns);
  const bench::stopwatch watch;
  const auto results = map(threads, tasks, task_ns);
  const double seconds = watch.seconds();
  bench::expect(std::ranges::equal(results, std::views::iota(std::int64_t{0}, tasks)), "the map");

  const double ideal = 1e-9 * static_cast<double>(task_ns * tasks) / static_cast<double>(processes);
  bench::print({{"seconds", seconds}, {"efficiency", ideal / seconds}});
}
