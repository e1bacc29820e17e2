// SPDX-License-Identifier: BSL-1.0

// Sides that look for messages before they sleep.

#include <chrono>
#include <csignal>
#include <cstddef>
#include <ranges>
#include <stdexcept>
#include <string>

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#include "support/expect.hpp"
#include "support/processes.hpp"
#include "support/run.hpp"
#include "support/signal.hpp"

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

int twice(int value) { return 2 * value; }

int begin_and_wait(const std::string& begun, const std::string& until, int value) {
  test::give_signal(begun);
  test::await_signal(until);
  return value;
}

}  // namespace

TEST_CASE("given a time that makes no sense, when a pool is made, then it is refused") {
  asio::io_context loop;
  for (const std::chrono::nanoseconds time : {-1ns, 1s + 1ns, std::chrono::nanoseconds::max()}) {
    CHECK_THROWS_AS((coterie::pool{loop, {.processes = 1, .busy_poll = time}}),
                    std::invalid_argument);
  }
}

TEST_CASE("given any time to look, when calls and maps are made, then all is as it should be") {
  for (const std::chrono::nanoseconds time : {0ns, 1ns, 50'000ns, 1'000'000'000ns}) {
    INFO(time.count());
    test::run([time]() -> asio::awaitable<void> {
      coterie::pool pool{co_await asio::this_coro::executor, {.processes = 1, .busy_poll = time}};
      for (int call = 0; call < 300; ++call) {
        const int value = co_await pool.apply(twice, call);
        REQUIRE(value == 2 * call);
      }
      const auto values = co_await pool.map(twice, std::views::iota(0, 3000), {.chunksize = 1});
      CHECK(values.size() == 3000);
      CHECK(values.back() == 5998);
      pool.close();
      co_await pool.join();
    });
  }
}

TEST_CASE("given a loop that looks for a long time, when others need it, then they are served") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    coterie::pool pool{executor, {.processes = 1, .busy_poll = 1s}};
    test::signal begun{executor};
    test::signal until{executor};
    auto pending = pool.apply_async(begin_and_wait, begun.path(), until.path(), 5);
    co_await begun.arrived();
    for (int turn = 0; turn < 20; ++turn) {
      asio::steady_timer timer{executor, 1ms};
      co_await timer.async_wait(asio::use_awaitable);
    }
    CHECK_FALSE(pending.ready());
    until.give();
    const int value = co_await pending.get();
    CHECK(value == 5);
  });
}

TEST_CASE("given a loop that looks for a worker's answer, when that dies, then the call fails") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 1, .busy_poll = 1s}};
    for (int round = 0; round < 3; ++round) {
      const auto problem =
          co_await test::failure_of(pool.apply([] { return std::raise(SIGKILL); }));
      CHECK(test::code_of(problem) == coterie::errc::worker_crashed);
      const int value = co_await pool.apply(twice, round);
      CHECK(value == 2 * round);
    }
  });
}

TEST_CASE("given a pool at rest, when its loop is run, then there is nothing to do") {
  asio::io_context loop;
  coterie::pool pool{loop, {.processes = 1, .busy_poll = 1s}};
  auto pending = pool.apply_async(twice, 21);
  while (!pending.ready()) loop.run_one_for(test::deadline);
  // What was begun with the answer still ends: a look that finds no work under way.
  while (loop.poll() > 0) {
  }
  CHECK(loop.poll() == 0);
  CHECK(pending.successful());
}
