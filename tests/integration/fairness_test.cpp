// SPDX-License-Identifier: BSL-1.0
#include <cstddef>
#include <exception>
#include <optional>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#include "support/expect.hpp"
#include "support/run.hpp"
#include "support/shared_memory.hpp"
#include "support/signal.hpp"

namespace asio = boost::asio;

namespace {

int square(int number) { return number * number; }

// Each item of the long call waits for a signal: the call lasts as long as the test wants.
int wait_for(const std::string& until, int number) {
  test::await_signal(until);
  return number;
}

}  // namespace

TEST_CASE("given a long map that goes on, when applies are made, then they are served meanwhile") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    test::signal step{pool.get_executor()};
    const auto long_call = pool.map_async(coterie::bind(wait_for, step.path()),
                                          std::views::iota(0, 6000), {.chunksize = 1});
    for (int calls = 0; calls < 20; ++calls) {
      const auto call = pool.apply_async(square, calls);
      // The items look quick. So a worker claims some dozens at a time; and over sockets, where
      // nothing can be revoked, it holds two messages of 64, which may all be before the call.
      // After that it comes by itself, as soon as its worker is given a CPU.
      const int most = test::over_sockets() ? 2 * 2 * 64 : 70;
      for (int steps = 0; !call.ready(); ++steps) {
        if (steps == most) {
          co_await test::becomes([&] { return call.ready(); });
          break;
        }
        step.give();
        const std::size_t left = long_call.remaining();
        while (!call.ready() && long_call.remaining() == left) {
          co_await asio::post(asio::use_awaitable);
        }
      }
      CHECK_FALSE(long_call.ready());
    }
    CHECK(long_call.remaining() > 20);
    long_call.cancel();
  });
}

TEST_CASE("given an endless stream of quick items, when an apply is made, then it is served") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    auto numbers = pool.imap(square, std::views::iota(0) | std::views::transform([](int number) {
                                       return number % 1000;
                                     }));
    for (int calls = 0; calls < 20; ++calls) {
      const auto call = pool.apply_async(square, calls);
      int read = 0;
      while (!call.ready()) {
        const auto next = co_await numbers.next();
        REQUIRE(next.has_value());
        REQUIRE(++read < 1'000'000);
      }
      const int value = co_await call.get();
      CHECK(value == calls * calls);
    }
  });
}

TEST_CASE("given a map of a million items, when another is made, then it ends first") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto long_call =
        pool.map_async(square,
                       std::views::iota(0, 1'000'000) |
                           std::views::transform([](int number) { return number % 1000; }),
                       {.chunksize = 10});
    const std::vector<int> few{1, 2, 3};
    const auto short_call = co_await pool.map(square, few);
    CHECK(short_call == std::vector<int>{1, 4, 9});
    CHECK_FALSE(long_call.ready());
    long_call.cancel();
  });
}

TEST_CASE("given several long maps, when they run side by side, then all of them get on") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    test::signal step{pool.get_executor()};
    const auto task = coterie::bind(wait_for, step.path());
    // Over sockets a worker holds up to 128 items of one call, as they look quick.
    const std::size_t all_steps = test::over_sockets() ? 1800 : 600;
    std::vector<coterie::async_result<std::vector<int>>> calls;
    for (int each = 0; each < 3; ++each) {
      calls.push_back(pool.map_async(task, std::views::iota(0, 3000), {.chunksize = 1}));
    }
    const auto done = [&] {
      std::size_t all = 0;
      for (const auto& each : calls) all += 3000 - each.remaining();
      return all;
    };
    for (std::size_t steps = 1; steps <= all_steps; ++steps) {
      step.give();
      while (done() < steps) co_await asio::post(asio::use_awaitable);
    }
    for (const auto& each : calls) {
      CHECK(3000 - each.remaining() >= all_steps / 5);
      each.cancel();
    }
  });
}
