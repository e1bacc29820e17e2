// SPDX-License-Identifier: BSL-1.0
// expect: coterie: a raw pointer or reference cannot travel to another process
// most lines: 50
#include <functional>
#include <vector>

#include <coterie/coterie.hpp>

namespace asio = boost::asio;

void fill(std::vector<int>& numbers) { numbers.assign(numbers.size(), 7); }

asio::awaitable<void> filled(coterie::pool& pool, std::vector<int>& numbers) {
  co_await pool.apply(fill, std::ref(numbers));
}
