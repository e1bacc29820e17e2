// SPDX-License-Identifier: BSL-1.0
#include "support/run.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

namespace test {

void run(const std::function<boost::asio::awaitable<void>()>& body, std::chrono::seconds limit) {
  std::exception_ptr problem;
  bool ended = false;
  {
    boost::asio::io_context loop{1};
    boost::asio::co_spawn(loop, body, [&](std::exception_ptr what) {
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

void with_pool(int processes,
               const std::function<boost::asio::awaitable<void>(coterie::pool&)>& body) {
  run([&]() -> boost::asio::awaitable<void> {
    const boost::asio::any_io_executor executor = co_await boost::asio::this_coro::executor;
    coterie::pool pool{executor, {.processes = processes}};
    co_await body(pool);
  });
}

}  // namespace test
