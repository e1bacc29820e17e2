// SPDX-License-Identifier: BSL-1.0

#include <numeric>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

#include <coterie/init.hpp>
#include <coterie/pool.hpp>

#include "../support/coterie_run.hpp"
#include "../support/spin.hpp"
#include "../support/uneven_times.hpp"

namespace asio = boost::asio;

namespace {

std::int64_t work(std::int64_t nanoseconds) {
  return bench::spin_and_return(nanoseconds, nanoseconds);
}

asio::awaitable<int> program(int argc, char** argv) {
  std::int64_t tasks = 20'000;
  std::int64_t longest_last = 0;
  std::int64_t chunksize = 0;
  const bench::coterie_run run{argc,
                               argv,
                               "A map of tasks of 1 us to 1 ms.",
                               {{"tasks", &tasks, "How many"},
                                {"longest-last", &longest_last, "1: in ascending order"},
                                {"chunksize", &chunksize, "0: automatic"}}};
  coterie::pool pool{co_await asio::this_coro::executor, run.options()};
  co_await run.ready(pool);

  const coterie::map_options chunks{.chunksize = static_cast<std::size_t>(chunksize)};
  co_await pool.map(work, bench::uneven_times(1 + tasks / 20, false), chunks);
  const auto times = bench::uneven_times(tasks, longest_last != 0);
  const bench::stopwatch watch;
  const auto results = co_await pool.map(work, times, chunks);
  const double seconds = watch.seconds();
  bench::expect(results == times, "map");

  const auto total =
      static_cast<double>(std::accumulate(times.begin(), times.end(), std::int64_t{0}));
  bench::print({{"seconds", seconds},
                {"efficiency", 1e-9 * total / static_cast<double>(run.processes()) / seconds}});
  co_return 0;
}

}  // namespace

int main(int argc, char** argv) { return coterie::run(argc, argv, program); }
