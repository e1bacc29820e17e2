// SPDX-License-Identifier: BSL-1.0

// Deadlines that keep errors and results.

#include <chrono>
#include <future>
#include <limits>
#include <memory>
#include <optional>
#include <ratio>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#include "support/expect.hpp"
#include "support/run.hpp"
#include "support/signal.hpp"

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

int twice(int value) { return 2 * value; }
int refuse(int) { throw std::invalid_argument{"no"}; }
void nothing() {}
std::unique_ptr<int> boxed(int value) { return std::make_unique<int>(value); }

// Says that it has begun, waits to be let go on, and leaves a mark.
int work(int value, const std::string& begun, const std::string& go, const std::string& marks) {
  test::give_signal(begun);
  test::await_signal(go);
  test::leave_mark(marks);
  return value;
}
int mark(int value, const std::string& marks) {
  test::leave_mark(marks);
  return value;
}

asio::awaitable<int> both(coterie::pool& pool) {
  const int first = co_await pool.apply(twice, 1);
  const int second = co_await pool.apply(twice, 2);
  co_return first + second;
}

asio::awaitable<void> wait_for_ever() {
  asio::steady_timer timer{co_await asio::this_coro::executor,
                           asio::steady_timer::time_point::max()};
  co_await timer.async_wait(asio::use_awaitable);
}

constexpr std::chrono::hours long_time{1};

}  // namespace

TEST_CASE(
    "given an operation that succeeds in time, when it has a deadline, then its value comes") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    co_await test::gives(coterie::within(pool.apply(twice, 4), long_time), 8);
    const std::vector<int> items{1, 2, 3};
    const std::vector<int> doubled{2, 4, 6};
    co_await test::gives(coterie::within(pool.map(twice, items), long_time), doubled);
    co_await coterie::within(pool.apply(nothing), long_time);
    const auto box = co_await coterie::within(pool.apply(boxed, 5), long_time);
    CHECK(*box == 5);
    co_await test::gives(coterie::within(both(pool), long_time), 6);
    auto pending = pool.apply_async(twice, 7);
    co_await test::gives(coterie::within(pending.get(), long_time), 14);
  });
}

TEST_CASE("given an operation that fails, when it has a deadline, then its error comes at once") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto problem =
        co_await test::failure_of(coterie::within(pool.apply(refuse, 1), long_time));
    CHECK(test::as<std::invalid_argument>(problem).what() == std::string{"no"});
  });
}

TEST_CASE("given a running call, when its time passes, then it fails and its worker is replaced") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    test::signal begun{pool.get_executor()};
    test::signal go{pool.get_executor()};
    const test::directory directory;
    const auto started = pool.stats().workers_started;
    const auto late = co_await test::failure_of(coterie::within(
        pool.apply(work, 1, begun.path(), go.path(), directory.file("marks")), 1ms));
    CHECK(test::code_of(late) == coterie::errc::timeout);
    test::as<coterie::timeout_error>(late);
    co_await test::gives(pool.apply(twice, 3), 6);
    CHECK(pool.stats().workers_crashed == 0);
    CHECK(test::marks_in(directory.file("marks")) == 0);
    static_cast<void>(started);
  });
}

TEST_CASE("given a running call that may finish, when its time passes, then it does, unheard") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    test::signal begun{pool.get_executor()};
    test::signal go{pool.get_executor()};
    const test::directory directory;
    const std::string marks = directory.file("marks");
    co_await pool.apply(nothing);
    auto running = pool.apply_async(work, 1, begun.path(), go.path(), marks);
    co_await begun.arrived();
    // One that runs, by a wait; and one that is queued, as a call.
    const auto waited = co_await test::failure_of(coterie::within(running.get(), 1ms));
    const auto queued = co_await test::failure_of(
        coterie::within(pool.apply(mark, 1, marks), 1ms, coterie::when_late::let_finish));
    CHECK(test::code_of(waited) == coterie::errc::timeout);
    CHECK(test::code_of(queued) == coterie::errc::timeout);
    go.give();
    co_await test::gives(running.get(), 1);
    CHECK(test::marks_in(marks) == 1);

    auto late = coterie::within(pool.apply(work, 2, begun.path(), go.path(), marks), 50ms,
                                coterie::when_late::let_finish);
    const auto problem = co_await test::failure_of(std::move(late));
    CHECK(test::code_of(problem) == coterie::errc::timeout);
    go.give();
    co_await test::gives(pool.apply(twice, 3), 6);
    CHECK(pool.stats().workers_started == 1);
  });
}

TEST_CASE("given a stream, when the wait for a result is too long, then no result is lost") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    test::signal begun{pool.get_executor()};
    test::signal go{pool.get_executor()};
    const test::directory directory;
    const std::vector<int> items{1, 2, 3, 4};
    auto stream = pool.imap(coterie::bind(
                                +[](const std::string& signal, int value) {
                                  test::await_signal(signal);
                                  return value;
                                },
                                go.path()),
                            items, {.chunksize = 1});
    const auto late = co_await test::failure_of(coterie::within(stream.next(), 1ms));
    CHECK(test::code_of(late) == coterie::errc::timeout);
    go.give(4);
    // Deadlines that pass while results come.
    std::vector<int> all;
    for (bool ended = false; !ended;) {
      try {
        const auto next = co_await coterie::within(stream.next(), 50us);
        if (next) all.push_back(*next);
        ended = !next;
      } catch (const coterie::timeout_error&) {
      }
    }
    CHECK(all == items);
  });
}

TEST_CASE("given no time at all, when an operation is awaited, then it ends with its deadline") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto zero = co_await test::failure_of(coterie::within(wait_for_ever(), 0s));
    CHECK(test::code_of(zero) == coterie::errc::timeout);
    const auto negative = co_await test::failure_of(
        coterie::within(wait_for_ever(), std::chrono::nanoseconds::min()));
    CHECK(test::code_of(negative) == coterie::errc::timeout);
    const auto hours =
        co_await test::failure_of(coterie::within(wait_for_ever(), std::chrono::hours::min()));
    CHECK(test::code_of(hours) == coterie::errc::timeout);
    co_await test::gives(pool.apply(twice, 3), 6);
  });
}

TEST_CASE("given times of any length, when an operation is in time, then its value comes") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    co_await test::gives(coterie::within(pool.apply(twice, 1), std::chrono::nanoseconds::max()), 2);
    co_await test::gives(coterie::within(pool.apply(twice, 2), std::chrono::hours::max()), 4);
    using years = std::chrono::duration<long long, std::ratio<31'557'600>>;
    co_await test::gives(coterie::within(pool.apply(twice, 3), years::max()), 6);
    using real = std::chrono::duration<double>;
    co_await test::gives(
        coterie::within(pool.apply(twice, 4), real{std::numeric_limits<double>::infinity()}), 8);
    auto pending = pool.apply_async(twice, 5);
    co_await test::gives(pending.get(years::max()), 10);
    co_await test::gives(pending.get(std::chrono::hours::min()), 10);
  });
}

TEST_CASE(
    "given a deadline inside a coroutine, when that is cancelled, then the operation is, too") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    test::signal begun{pool.get_executor()};
    test::signal go{pool.get_executor()};
    const test::directory directory;
    asio::cancellation_signal signal;
    std::exception_ptr problem;
    bool ended = false;
    asio::co_spawn(
        pool.get_executor(),
        [&]() -> asio::awaitable<void> {
          co_await coterie::within(
              pool.apply(work, 1, begun.path(), go.path(), directory.file("marks")), long_time);
        },
        asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr what) {
          problem = std::move(what);
          ended = true;
        }));
    co_await begun.arrived();
    signal.emit(asio::cancellation_type::terminal);
    co_await test::becomes([&] { return ended; });
    const auto code = test::as<boost::system::system_error>(problem).code();
    CHECK(code == asio::error::operation_aborted);
    co_await test::gives(pool.apply(twice, 3), 6);
  });
}

TEST_CASE("given a deadline within a deadline, when the inner passes first, then that is told") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto inner = []() -> asio::awaitable<std::string> {
      try {
        co_await coterie::within(wait_for_ever(), 1ms);
      } catch (const coterie::timeout_error&) {
        co_return "inner";
      }
      co_return "none";
    };
    co_await test::gives(coterie::within(inner(), long_time), std::string{"inner"});
    const auto outer = co_await test::failure_of(
        coterie::within(coterie::within(wait_for_ever(), long_time), 1ms));
    CHECK(test::code_of(outer) == coterie::errc::timeout);
    co_await test::gives(pool.apply(twice, 3), 6);
  });
}

TEST_CASE("given several threads on one loop, when deadlines and results race, then one comes") {
  asio::io_context loop;
  coterie::pool pool{loop, {.processes = 2}};
  auto outcome = asio::co_spawn(
      loop,
      [&]() -> asio::awaitable<int> {
        int outcomes = 0;
        for (int turn = 0; turn < 200; ++turn) {
          try {
            const int value = co_await coterie::within(
                pool.apply(twice, turn), std::chrono::microseconds{turn * 2},
                turn % 2 == 0 ? coterie::when_late::let_finish : coterie::when_late::kill);
            if (value == 2 * turn) ++outcomes;
          } catch (const coterie::timeout_error&) {
            ++outcomes;
          }
        }
        pool.terminate();
        co_return outcomes;
      },
      asio::use_future);
  std::vector<std::jthread> threads;
  for (int each = 0; each < 3; ++each) threads.emplace_back([&] { loop.run(); });
  REQUIRE(outcome.wait_for(test::deadline) == std::future_status::ready);
  CHECK(outcome.get() == 200);
}

TEST_CASE(
    "given a loop that is destroyed, when a deadline is pending on it, then nothing is left") {
  const auto watched = std::make_shared<int>(1);
  {
    asio::io_context loop;
    asio::co_spawn(
        loop,
        [](std::shared_ptr<int> held) -> asio::awaitable<void> {
          co_await coterie::within(wait_for_ever(), long_time);
          static_cast<void>(held);
        }(watched),
        asio::detached);
    loop.run_for(20ms);
    CHECK(watched.use_count() == 2);
  }
  CHECK(watched.use_count() == 1);
}
