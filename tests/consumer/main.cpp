// SPDX-License-Identifier: BSL-1.0
// A user's program, as small as it gets: an installed copy must be enough to build and run it.
#include <cstdint>
#include <iostream>
#include <numeric>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_future.hpp>

#include <coterie/coterie.hpp>

namespace asio = boost::asio;

std::int64_t square(std::int64_t x) { return x * x; }

asio::awaitable<int> program() {
  coterie::pool pool{co_await asio::this_coro::executor, {.processes = 2}};

  std::vector<std::int64_t> numbers(100);
  std::iota(numbers.begin(), numbers.end(), 1);
  auto squares = co_await pool.map(square, numbers);

  pool.close();
  co_await pool.join();

  auto sum = std::accumulate(squares.begin(), squares.end(), std::int64_t{0});
  std::cout << "the squares of 1 to 100 add up to " << sum << '\n';
  co_return sum == 338350 ? 0 : 1;
}

int main(int argc, char** argv) {
  coterie::init(argc, argv);

  asio::io_context loop;
  auto exit_code = asio::co_spawn(loop, program(), asio::use_future);
  loop.run();
  return exit_code.get();
}
