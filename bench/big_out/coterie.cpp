// SPDX-License-Identifier: BSL-1.0

#include <cstddef>
#include <ranges>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

#include <coterie/bind.hpp>
#include <coterie/init.hpp>
#include <coterie/pool.hpp>

#include "../support/arrays.hpp"
#include "../support/coterie_run.hpp"

namespace asio = boost::asio;

namespace {

/// An array that the worker has already, but for its first number: making one is not what is
/// measured.
const std::vector<std::int64_t>& stamped_array(std::int64_t mebibytes, std::int64_t number) {
  static std::vector<std::int64_t> array = bench::make_array(0, mebibytes);
  array.front() = number;
  return array;
}

asio::awaitable<int> program(int argc, char** argv) {
  std::int64_t arrays = 16;
  std::int64_t mebibytes = 64;
  const bench::coterie_run run{
      argc,
      argv,
      "A map of numbers to large arrays.",
      {{"arrays", &arrays, "How many"}, {"mebibytes", &mebibytes, "The size of each"}}};
  coterie::pool pool{co_await asio::this_coro::executor, run.options()};
  co_await run.ready(pool);

  const auto function = coterie::bind(stamped_array, mebibytes);
  const auto numbers = std::views::iota(std::int64_t{0}, arrays);
  // As many as later: memory that a virtual machine has never used before is slow for its own
  // reasons.
  co_await pool.map(function, numbers, {.chunksize = 1});
  const bench::stopwatch watch;
  const auto results = co_await pool.map(function, numbers, {.chunksize = 1});
  const double seconds = watch.seconds();

  const auto expected = bench::sum_of_all(bench::make_array(0, mebibytes));
  bench::expect(std::ranges::ssize(results) == arrays, "the number of arrays");
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto number = static_cast<std::int64_t>(i);
    bench::expect(results[i].front() == number, "the order of the arrays");
    bench::expect(bench::sum_of_all(results[i]) == expected + number, "an array");
  }
  bench::print({{"seconds", seconds},
                {"bytes_per_second", static_cast<double>((arrays * mebibytes) << 20U) / seconds}});
  co_return 0;
}

}  // namespace

int main(int argc, char** argv) { return coterie::run(argc, argv, program); }
