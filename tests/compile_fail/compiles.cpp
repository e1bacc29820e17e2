// SPDX-License-Identifier: BSL-1.0
// The control: if this does not compile, the other cases show nothing.
#include <vector>

#include <coterie/coterie.hpp>

namespace asio = boost::asio;

int square(int x) { return x * x; }

asio::awaitable<std::vector<int>> squares(coterie::pool& pool, const std::vector<int>& numbers) {
  co_return co_await pool.map(square, numbers);
}
