// SPDX-License-Identifier: BSL-1.0

#include <algorithm>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

#include <coterie/init.hpp>
#include <coterie/pool.hpp>

#include "../support/arrays.hpp"
#include "../support/coterie_run.hpp"

namespace asio = boost::asio;

namespace {

asio::awaitable<int> program(int argc, char** argv) {
  std::int64_t arrays = 16;
  std::int64_t mebibytes = 64;
  const bench::coterie_run run{
      argc,
      argv,
      "A map of large arrays to numbers.",
      {{"arrays", &arrays, "How many"}, {"mebibytes", &mebibytes, "The size of each"}}};
  coterie::pool pool{co_await asio::this_coro::executor, run.options()};
  co_await run.ready(pool);

  std::vector<std::vector<std::int64_t>> inputs;
  for (std::int64_t i = 0; i < arrays; ++i) inputs.push_back(bench::make_array(i, mebibytes));

  // All is looked at once, while no clock runs.
  const auto whole = co_await pool.map(bench::sum_of_all, inputs, {.chunksize = 1});
  bench::expect(std::ranges::equal(whole, inputs, {}, {}, bench::sum_of_all), "the sums");
  const bench::stopwatch watch;
  const auto sums = co_await pool.map(bench::sum_of_pages, inputs, {.chunksize = 1});
  const double seconds = watch.seconds();
  bench::expect(std::ranges::equal(sums, inputs, {}, {}, bench::sum_of_pages), "the sums of pages");
  bench::print({{"seconds", seconds},
                {"bytes_per_second", static_cast<double>((arrays * mebibytes) << 20U) / seconds}});
  co_return 0;
}

}  // namespace

int main(int argc, char** argv) { return coterie::run(argc, argv, program); }
