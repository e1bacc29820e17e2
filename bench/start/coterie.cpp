// SPDX-License-Identifier: BSL-1.0

#include <unistd.h>

#include <optional>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

#include <coterie/init.hpp>
#include <coterie/pool.hpp>

#include "../support/coterie_run.hpp"
#include "../support/spin.hpp"

namespace asio = boost::asio;

namespace {

asio::awaitable<int> program(int argc, char** argv) {
  std::int64_t pools = 50;
  const bench::coterie_run run{argc,
                               argv,
                               "Pools, from nothing to the first result and to nothing.",
                               {{"pools", &pools, "How many, one after the other"}}};
  const auto executor = co_await asio::this_coro::executor;

  std::vector<double> first;
  std::vector<double> whole;
  for (std::int64_t i = 0; i < pools + 1; ++i) {
    const bench::stopwatch watch;
    std::optional<coterie::pool> pool{std::in_place, executor, run.options()};
    const std::int64_t result = co_await pool->apply(bench::identity, i);
    const double to_first = watch.seconds();
    pool.reset();
    const double to_end = watch.seconds();
    bench::expect(result == i, "apply");
    bench::expect(bench::no_child_left(), "no process is left");
    if (i == 0) continue;
    first.push_back(to_first);
    whole.push_back(to_end);
  }
  bench::print({{"first_result_seconds", bench::quantile(first, 0.5)},
                {"whole_seconds", bench::quantile(whole, 0.5)}});
  co_return 0;
}

}  // namespace

int main(int argc, char** argv) {
  // For `spawn`, which wants to know how soon this very program can say anything.
  if (argc == 2 && std::string_view{argv[1]} == "first-byte")
    return ::write(1, "x", 1) == 1 ? 0 : 1;
  return coterie::run(argc, argv, program);
}
