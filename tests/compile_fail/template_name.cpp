// SPDX-License-Identifier: BSL-1.0
// expect: coterie_no_such_call_wrap_the_name_of_an_overloaded_function
// most lines: 20
#include <vector>

#include <coterie/coterie.hpp>

template <class T>
T twice(T number) {
  return 2 * number;
}

boost::asio::awaitable<int> doubled(coterie::pool& pool) {
  const int result = co_await pool.apply(twice, 3);
  co_return result;
}
