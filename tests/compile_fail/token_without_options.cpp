// SPDX-License-Identifier: BSL-1.0
// A control: a completion token needs no options before it.
#include <exception>
#include <future>
#include <utility>
#include <vector>

#include <coterie/coterie.hpp>

namespace asio = boost::asio;

int add(int one, int other) { return one + other; }
int square(int number) { return number * number; }

std::future<std::vector<int>> squares(coterie::pool& pool, const std::vector<int>& numbers,
                                      const std::vector<std::pair<int, int>>& pairs) {
  pool.starmap(add, pairs, [](std::exception_ptr, const std::vector<int>&) {});
  (void)pool.map_settled(square, numbers, asio::use_future);
  (void)pool.starmap_settled(add, pairs, asio::use_future);
  return pool.map(square, numbers, asio::use_future);
}
