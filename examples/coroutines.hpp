// SPDX-License-Identifier: BSL-1.0
#pragma once

// What some of the examples do around their coroutines, and none of them is about.

#include <chrono>
#include <csignal>
#include <exception>
#include <utility>
#include <variant>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/result.hpp>

#include <coterie/pool.hpp>

namespace example {

/// The outcome of `work`, be it an exception. Asio's `||` waits for the first success: of two of
/// which one has failed and the other never ends, it would wait for ever.
template <class T>
boost::asio::awaitable<boost::system::result<T, std::exception_ptr>> settled(
    boost::asio::awaitable<T> work) {
  try {
    co_return co_await std::move(work);
  } catch (...) {
    co_return std::current_exception();
  }
}

/// Does `work`, unless Ctrl-C comes first: then ends it, so that it can clear up what it leaves
/// behind, and returns the exit code that shells expect.
inline boost::asio::awaitable<int> until_interrupted(boost::asio::awaitable<int> work) {
  using namespace boost::asio::experimental::awaitable_operators;
  boost::asio::signal_set interrupts{co_await boost::asio::this_coro::executor, SIGINT, SIGTERM};
  auto first =
      co_await (settled(std::move(work)) || interrupts.async_wait(boost::asio::use_awaitable));
  if (const int* signal = std::get_if<1>(&first)) co_return 128 + *signal;
  co_return std::get<0>(first).value();
}

/// Waits until all workers of the pool run, so that a clock that is started then does not measure
/// their start. After ten seconds, it is measured.
inline boost::asio::awaitable<void> all_workers_ready(coterie::pool& pool) {
  using namespace std::chrono_literals;
  boost::asio::steady_timer timer{co_await boost::asio::this_coro::executor};
  for (int tries = 0; pool.stats().workers_ready < pool.size() && tries < 10'000; ++tries) {
    timer.expires_after(1ms);
    co_await timer.async_wait(boost::asio::use_awaitable);
  }
}

}  // namespace example
