// SPDX-License-Identifier: BSL-1.0

// Threads that take one task after the other from one queue.

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "../support/contender.hpp"
#include "../support/map_on_asio.hpp"
#include "../support/spin.hpp"
#include "../support/uneven_times.hpp"

int main(int argc, char** argv) {
  std::int64_t processes = 2;
  std::int64_t tasks = 20'000;
  std::int64_t longest_last = 0;
  bench::parse(argc, argv, "Tasks of 1 us to 1 ms in a thread pool.",
               {{"processes", &processes, "Threads"},
                {"tasks", &tasks, "How many"},
                {"longest-last", &longest_last, "1: in ascending order"}});

  boost::asio::thread_pool threads{static_cast<std::size_t>(processes)};
  const auto map = [&threads](const std::vector<std::int64_t>& times) {
    return bench::map_on(threads, times.size(), [&](std::size_t task) {
      return bench::spin_and_return(times[task], times[task]);
    });
  };
  map(bench::uneven_times(1 + tasks / 20, false));
  const auto times = bench::uneven_times(tasks, longest_last != 0);
  const bench::stopwatch watch;
  const auto results = map(times);
  const double seconds = watch.seconds();
  bench::expect(results == times, "the map");

  const auto total =
      static_cast<double>(std::accumulate(times.begin(), times.end(), std::int64_t{0}));
  bench::print({{"seconds", seconds},
                {"efficiency", 1e-9 * total / static_cast<double>(processes) / seconds}});
}
