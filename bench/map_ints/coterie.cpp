// SPDX-License-Identifier: BSL-1.0

#include <algorithm>
#include <numeric>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

#include <coterie/init.hpp>
#include <coterie/pool.hpp>

#include "../support/coterie_run.hpp"

namespace asio = boost::asio;

namespace {

std::int64_t triple(std::int64_t number) { return 3 * number; }

asio::awaitable<int> program(int argc, char** argv) {
  std::int64_t items = 1'000'000;
  const bench::coterie_run run{
      argc, argv, "A map of small numbers.", {{"items", &items, "How many"}}};
  coterie::pool pool{co_await asio::this_coro::executor, run.options()};
  co_await run.ready(pool);

  std::vector<std::int64_t> numbers(static_cast<std::size_t>(items));
  std::iota(numbers.begin(), numbers.end(), 0);
  co_await pool.map(triple, numbers);
  const bench::stopwatch watch;
  const auto results = co_await pool.map(triple, numbers);
  const double seconds = watch.seconds();
  bench::expect(std::ranges::equal(results, numbers, {}, {}, triple), "map");
  bench::print({{"seconds", seconds}, {"items_per_second", static_cast<double>(items) / seconds}});
  co_return 0;
}

}  // namespace

int main(int argc, char** argv) { return coterie::run(argc, argv, program); }
