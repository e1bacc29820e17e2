// SPDX-License-Identifier: BSL-1.0
// expect: coterie_no_such_call_wrap_the_name_of_an_overloaded_function
// most lines: 20
#include <coterie/coterie.hpp>

int twice(int number);

boost::asio::awaitable<int> doubled(coterie::pool& pool) {
  auto results = pool.imap(twice, {1, 2, 3});
  while (auto result = co_await results.next()) co_return *result;
}
