// SPDX-License-Identifier: BSL-1.0
// expect: coterie_no_such_call_wrap_the_name_of_an_overloaded_function
// most lines: 20
#include <vector>

#include <coterie/coterie.hpp>

int twice(int number);
double twice(double number);

boost::asio::awaitable<int> doubled(coterie::pool& pool, const std::vector<int>& numbers) {
  auto results = co_await pool.map(twice, numbers);
  co_return results[0];
}
