// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <chrono>
#include <cstddef>
#include <exception>
#include <future>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio.hpp>
#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#include "support/run.hpp"
#include "support/signal.hpp"

namespace asio = boost::asio;

using namespace asio::experimental::awaitable_operators;

namespace {

int square(int number) { return number * number; }

int fail(int number) { throw std::out_of_range{std::to_string(number)}; }

void do_nothing(int) {}

constexpr std::array<int, 3> numbers{1, 2, 3};

asio::awaitable<void> until(const bool& condition) {
  while (!condition) co_await asio::post(asio::use_awaitable);
}

}  // namespace

TEST_CASE("given use_awaitable, when awaited, then values are returned and failures thrown") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const int nine = co_await pool.apply(square, 3, asio::use_awaitable);
    CHECK(nine == 9);
    const auto squares = co_await pool.map(square, numbers, {}, asio::use_awaitable);
    CHECK(squares == std::vector<int>{1, 4, 9});
    const auto problem =
        co_await test::failure_of(pool.map(fail, numbers, {}, asio::use_awaitable));
    CHECK_THROWS_AS(std::rethrow_exception(problem), std::out_of_range);
  });
}

TEST_CASE("given use_future, when a plain thread waits for it, then it gets value or exception") {
  asio::io_context loop{1};
  coterie::pool pool{loop, {.processes = 1}};
  std::thread runs_it{[&] { loop.run(); }};

  CHECK(pool.apply(square, 3, asio::use_future).get() == 9);
  CHECK(pool.map(square, numbers, {}, asio::use_future).get() == std::vector<int>{1, 4, 9});
  pool.map(do_nothing, numbers, {}, asio::use_future).get();
  const std::vector<std::tuple<int>> tuples{{4}};
  CHECK(pool.starmap(square, tuples, {}, asio::use_future).get() == std::vector<int>{16});
  CHECK(pool.map_settled(fail, numbers, {}, asio::use_future).get().size() == 3);
  CHECK_THROWS_AS(pool.apply(fail, 3, asio::use_future).get(), std::out_of_range);

  auto stream = pool.imap(square, numbers);
  CHECK(stream.next(asio::use_future).get() == 1);
  const auto pending = pool.apply_async(square, 5);
  CHECK(pending.get(asio::use_future).get() == 25);
  CHECK(pending.wait(test::deadline, asio::use_future).get());

  pool.close();
  pool.join(asio::use_future).get();
  runs_it.join();
}

TEST_CASE("given a callback, when the call ends, then it gets the exception and the value") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    bool called = false;
    pool.map(square, numbers, {}, [&](const std::exception_ptr& problem, std::vector<int> squares) {
      CHECK_FALSE(problem);
      CHECK(squares == std::vector<int>{1, 4, 9});
      called = true;
    });
    co_await until(called);

    called = false;
    pool.map(do_nothing, numbers, {}, [&](const std::exception_ptr& problem) {
      CHECK_FALSE(problem);
      called = true;
    });
    co_await until(called);

    called = false;
    pool.apply(fail, 3, [&](const std::exception_ptr& problem, int) {
      CHECK(test::as<std::out_of_range>(problem).what() == std::string{"3"});
      called = true;
    });
    co_await until(called);
  });
}

TEST_CASE("given a handler that only moves, when the call ends, then it is called") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    bool called = false;
    pool.apply(square, 3,
               [&, owned = std::make_unique<int>(1)](const std::exception_ptr&, int nine) {
                 CHECK(nine + *owned == 10);
                 called = true;
               });
    co_await until(called);
  });
}

TEST_CASE("given as_tuple, when awaited, then the exception is a value") {
  static constexpr auto token = asio::experimental::as_tuple(asio::use_awaitable);
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto [problem, nine] = co_await pool.apply(square, 3, token);
    CHECK_FALSE(problem);
    CHECK(nine == 9);
    const auto [other, nothing] = co_await pool.map(fail, numbers, {}, token);
    CHECK_THROWS_AS(std::rethrow_exception(other), std::out_of_range);
    CHECK(nothing.empty());
    const auto [none] = co_await pool.map(do_nothing, numbers, {}, token);
    CHECK_FALSE(none);
  });
}

TEST_CASE("given redirect_error of the value's exception, when awaited, then nothing is thrown") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    asio::steady_timer timer{pool.get_executor(), std::chrono::milliseconds{1}};
    boost::system::error_code code;
    // The pool beside an operation of Asio's own kind of error.
    const auto all = co_await (pool.map(square, numbers) &&
                               timer.async_wait(asio::redirect_error(asio::use_awaitable, code)));
    CHECK_FALSE(code);
    CHECK(all == std::vector<int>{1, 4, 9});
  });
}

TEST_CASE("given deferred, when it is launched, then only then does the call start") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    auto later = pool.apply(square, 3, asio::experimental::deferred);
    CHECK(pool.stats().jobs_pending == 0);
    bool called = false;
    std::move(later)([&](const std::exception_ptr& problem, int nine) {
      CHECK_FALSE(problem);
      CHECK(nine == 9);
      called = true;
    });
    co_await until(called);
  });
}

TEST_CASE("given detached, when the call ends, then no handler hears of it") {
  const test::directory directory;
  const std::string marks = directory.file("marks");
  test::with_pool(1, [&](coterie::pool& pool) -> asio::awaitable<void> {
    pool.apply(test::leave_mark, marks, asio::detached);
    pool.map(fail, numbers, {}, asio::detached);
    const int nine = co_await pool.apply(square, 3);
    CHECK(nine == 9);
    pool.close();
    co_await pool.join();
    CHECK(test::marks_in(marks) == 1);
  });
}

TEST_CASE("given a handler, when its call is started, then it is never called from inside that") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    // Calls that have nothing to wait for are the ones that could.
    bool inside = true;
    int calls = 0;
    const auto not_inside = [&](auto&&...) {
      CHECK_FALSE(inside);
      ++calls;
    };
    pool.map(square, std::vector<int>{}, {}, not_inside);
    auto stream = pool.imap(square, std::vector<int>{});
    stream.next(not_inside);
    const auto pending = pool.apply_async(square, 1);
    inside = false;
    co_await pending.wait();
    inside = true;
    pending.get(not_inside);
    pending.wait(not_inside);
    pending.wait(std::chrono::seconds{0}, not_inside);
    pending.callback(not_inside);
    stream.next(not_inside);
    pool.join(not_inside);
    pool.close();
    pool.map(square, numbers, {}, not_inside);
    pool.apply(square, 1, not_inside);
    inside = false;
    co_await pool.join();
    inside = true;
    pool.join(not_inside);
    pool.terminate();
    inside = false;
    while (calls < 11) co_await asio::post(asio::use_awaitable);
    CHECK(calls == 11);
  });
}

TEST_CASE("given a handler with an executor, when the call ends, then it runs there") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    asio::thread_pool elsewhere{1};
    std::promise<std::thread::id> thread_of_handler;
    const auto home =
        asio::post(elsewhere, asio::use_future([] { return std::this_thread::get_id(); })).get();
    auto there = thread_of_handler.get_future();
    pool.map(
        square, numbers, {},
        asio::bind_executor(elsewhere, [&](const std::exception_ptr&, const std::vector<int>&) {
          thread_of_handler.set_value(std::this_thread::get_id());
        }));
    while (there.wait_for(std::chrono::seconds{0}) != std::future_status::ready) {
      co_await asio::post(asio::use_awaitable);
    }
    CHECK(there.get() == home);
    CHECK(home != std::this_thread::get_id());
  });
}

TEST_CASE("given a strand, when calls end, then their handlers run on it") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    auto strand = asio::make_strand(pool.get_executor());
    int calls = 0;
    const auto on_strand = [&] {
      return asio::bind_executor(strand, [&](auto&&...) {
        CHECK(strand.running_in_this_thread());
        ++calls;
      });
    };
    pool.apply(square, 3, on_strand());
    pool.map(square, numbers, {}, on_strand());
    pool.map(square, std::vector<int>{}, {}, on_strand());
    auto stream = pool.imap(square, numbers);
    stream.next(on_strand());
    pool.apply_async(square, 3).get(on_strand());
    while (calls < 5) co_await asio::post(asio::use_awaitable);
    CHECK(calls == 5);
  });
}

TEST_CASE("given a coroutine on another event loop, when it awaits the pool, then it stays there") {
  asio::io_context loop{1};
  coterie::pool pool{loop, {.processes = 1}};
  std::thread runs_it{[&] { loop.run(); }};
  test::run([&]() -> asio::awaitable<void> {
    const auto home = std::this_thread::get_id();
    for (int times = 0; times < 20; ++times) {
      const int nine = co_await pool.apply(square, 3);
      CHECK(nine == 9);
      CHECK(std::this_thread::get_id() == home);
    }
  });
  pool.close();
  runs_it.join();
}

namespace {

// If the other call of an && had not ended yet, it is cancelled: two exceptions then.
void rethrow_first(const std::exception_ptr& problem) {
  try {
    std::rethrow_exception(problem);
  } catch (const asio::multiple_exceptions& both) {
    std::rethrow_exception(both.first_exception());
  }
}

}  // namespace

TEST_CASE("given two calls, when awaited with &&, then both values come") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto [squares, nine] = co_await (pool.map(square, numbers) && pool.apply(square, 3));
    CHECK(squares == std::vector<int>{1, 4, 9});
    CHECK(nine == 9);
    const auto problem =
        co_await test::failure_of(pool.apply(fail, 3) && pool.map(square, numbers));
    CHECK_THROWS_AS(rethrow_first(problem), std::out_of_range);
  });
}

TEST_CASE("given two calls, when awaited with ||, then the first to end wins") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    test::signal never{pool.get_executor()};
    const auto won =
        co_await (pool.apply(test::await_signal, never.path()) || pool.apply(square, 3));
    REQUIRE(won.index() == 1);
    CHECK(std::get<1>(won) == 9);
    const auto squares = co_await pool.map(square, numbers);
    CHECK(squares == std::vector<int>{1, 4, 9});
  });
}

TEST_CASE("given a parallel group, when all have ended, then the order and each outcome are told") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    using asio::experimental::deferred;
    bool called = false;
    asio::experimental::make_parallel_group(pool.apply(square, 3, deferred),
                                            pool.map(fail, numbers, {}, deferred))
        .async_wait(asio::experimental::wait_for_all(),
                    [&](std::array<std::size_t, 2> order, const std::exception_ptr& first, int nine,
                        const std::exception_ptr& second, const std::vector<int>& nothing) {
                      CHECK(order[0] + order[1] == 1);
                      CHECK_FALSE(first);
                      CHECK(nine == 9);
                      CHECK_THROWS_AS(std::rethrow_exception(second), std::out_of_range);
                      CHECK(nothing.empty());
                      called = true;
                    });
    co_await until(called);
  });
}

TEST_CASE("given a parallel group, when one has ended, then the others are cancelled") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    using asio::experimental::deferred;
    test::signal never{pool.get_executor()};
    bool called = false;
    asio::experimental::make_parallel_group(pool.apply(test::await_signal, never.path(), deferred),
                                            pool.apply(square, 3, deferred))
        .async_wait(asio::experimental::wait_for_one(),
                    [&](std::array<std::size_t, 2> order, const std::exception_ptr& first,
                        const std::exception_ptr& second, int nine) {
                      CHECK(order[0] == 1);
                      CHECK(test::as<boost::system::system_error>(first).code() ==
                            asio::error::operation_aborted);
                      CHECK_FALSE(second);
                      CHECK(nine == 9);
                      called = true;
                    });
    co_await until(called);
    const auto squares = co_await pool.map(square, numbers);
    CHECK(squares == std::vector<int>{1, 4, 9});
  });
}

TEST_CASE("given a handler that throws, when it is called, then the event loop's run throws") {
  asio::io_context loop{1};
  coterie::pool pool{loop, {.processes = 1}};
  pool.apply(square, 3,
             [](const std::exception_ptr&, int) { throw std::domain_error{"the handler"}; });
  CHECK_THROWS_AS(loop.run_for(test::deadline), std::domain_error);
  auto nine = pool.apply(square, 3, asio::use_future);
  pool.close();
  loop.run_for(test::deadline);
  CHECK(loop.stopped());
  CHECK(nine.get() == 9);
}

TEST_CASE(
    "given an event loop that is destroyed, when calls are pending, then handlers are dropped") {
  const auto witness = std::make_shared<int>(0);
  bool called = false;
  {
    asio::io_context loop{1};
    coterie::pool pool{loop, {.processes = 1}};
    pool.apply(square, 3, [&called, witness](const std::exception_ptr&, int) { called = true; });
    CHECK(witness.use_count() == 2);
  }
  CHECK(witness.use_count() == 1);
  CHECK_FALSE(called);
}
