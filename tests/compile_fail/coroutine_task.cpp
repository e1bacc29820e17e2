// SPDX-License-Identifier: BSL-1.0
// expect: coterie: a coroutine cannot be a task
// most lines: 60
#include <coterie/coterie.hpp>

boost::asio::awaitable<int> fetch(int number) { co_return number; }

auto fetched(coterie::pool& pool) { return pool.apply(fetch, 3); }
