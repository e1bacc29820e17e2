// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <coterie/pool.hpp>

#include "support/sanitized.hpp"

namespace test {

/// Whatever a test waits for is there long before this, or never.
inline constexpr std::chrono::seconds deadline{sanitized ? 300 : 30};

/// Runs a coroutine, and all that it leaves behind, on an event loop of its own. What leaves the
/// coroutine leaves this function; so does a complaint when the deadline passes first. The loop is
/// destroyed before this returns, and whatever still waits on it.
template <class Body>
void run(Body body, std::chrono::seconds limit = deadline) {
  std::exception_ptr problem;
  bool ended = false;
  {
    boost::asio::io_context loop{1};
    boost::asio::co_spawn(loop, std::move(body), [&](std::exception_ptr what) {
      problem = std::move(what);
      ended = true;
    });
    loop.run_for(limit);
    if (!ended) {
      throw std::runtime_error{"the test hangs: its coroutine has not ended before the deadline"};
    }
    if (!problem && !loop.stopped()) {
      throw std::runtime_error{
          "the test hangs: its coroutine has ended, but the event loop still waits for something"};
    }
  }
  if (problem) std::rethrow_exception(problem);
}

/// The same with a pool: `body(pool)` is the coroutine.
template <class Body>
void with_pool(int processes, Body body) {
  run([processes, body = std::move(body)]() -> boost::asio::awaitable<void> {
    const boost::asio::any_io_executor executor = co_await boost::asio::this_coro::executor;
    coterie::pool pool{executor, {.processes = processes}};
    co_await body(pool);
  });
}

/// Awaits an operation that must fail, and returns what it failed with: a handler may not await.
/// Null if it did not fail.
template <class T>
boost::asio::awaitable<std::exception_ptr> failure_of(boost::asio::awaitable<T> operation) {
  std::exception_ptr problem;
  try {
    co_await std::move(operation);
  } catch (...) {
    problem = std::current_exception();
  }
  co_return problem;
}

/// An exception as the type that it must have; fails the test by another exception if it has not.
template <class E>
E as(const std::exception_ptr& problem) {
  if (!problem) throw std::logic_error{"there is no exception"};
  try {
    try {
      std::rethrow_exception(problem);
    } catch (const E& expected) {
      return expected;
    }
  } catch (const std::exception& other) {
    throw std::logic_error{std::string{"another exception: "} + other.what()};
  }
}

/// All that a stream still gives.
template <class Stream>
boost::asio::awaitable<std::vector<typename Stream::value_type>> drain(Stream& from) {
  std::vector<typename Stream::value_type> all;
  while (auto next = co_await from.next()) all.push_back(std::move(*next));
  co_return all;
}

}  // namespace test
