// SPDX-License-Identifier: BSL-1.0
// expect: coterie_no_such_call_wrap_the_name_of_an_overloaded_function
// most lines: 20
#include <vector>

#include <coterie/coterie.hpp>

int twice(int number);

boost::asio::awaitable<int> doubled(coterie::pool& pool, const std::vector<int>& numbers) {
  auto pending = pool.map_async(twice, numbers, {.chunk_size = 3});
  co_await pending.wait();
  co_return (co_await pending.get())[0];
}
