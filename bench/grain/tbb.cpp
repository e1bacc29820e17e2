// SPDX-License-Identifier: BSL-1.0

// Threads that share the range out among themselves, in pieces whose size TBB chooses.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ranges>

#include <tbb/global_control.h>

#include "../support/contender.hpp"
#include "../support/map_on_tbb.hpp"
#include "../support/spin.hpp"

int main(int argc, char** argv) {
  std::int64_t processes = 2;
  std::int64_t tasks = 100'000;
  std::int64_t task_ns = 10'000;
  bench::parse(argc, argv, "Tasks of equal length in tbb::parallel_for.",
               {{"processes", &processes, "Threads, the caller's among them"},
                {"tasks", &tasks, "How many"},
                {"task-ns", &task_ns, "Nanoseconds of work each"}});

  const tbb::global_control threads{tbb::global_control::max_allowed_parallelism,
                                    static_cast<std::size_t>(processes)};
  const auto task = [=](std::size_t index) {
    return bench::spin_and_return(task_ns, static_cast<std::int64_t>(index));
  };
  const auto count = static_cast<std::size_t>(tasks);
  bench::map_on_tbb(1 + count / 20, task);
  const bench::stopwatch watch;
  const auto results = bench::map_on_tbb(count, task);
  const double seconds = watch.seconds();
  bench::expect(std::ranges::equal(results, std::views::iota(std::int64_t{0}, tasks)), "the map");

  const double ideal = 1e-9 * static_cast<double>(task_ns * tasks) / static_cast<double>(processes);
  bench::print({{"seconds", seconds}, {"efficiency", ideal / seconds}});
}
