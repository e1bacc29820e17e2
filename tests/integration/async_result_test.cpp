// SPDX-License-Identifier: BSL-1.0
#include <chrono>
#include <cstddef>
#include <exception>
#include <future>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#include "support/run.hpp"
#include "support/signal.hpp"

namespace asio = boost::asio;

using namespace std::chrono_literals;

namespace {

int square(int number) { return number * number; }

int fail(int number) { throw std::out_of_range{std::to_string(number)}; }

int wait_first(const std::string& until, int number) {
  test::await_signal(until);
  return number;
}

std::unique_ptr<int> boxed(int number) { return std::make_unique<int>(number); }

// Once more round the event loop: what is due comes before this.
asio::awaitable<void> turn() {
  for (int times = 0; times < 3; ++times) co_await asio::post(asio::use_awaitable);
}

}  // namespace

TEST_CASE("given a call that runs, when it is looked at, then it is not ready until it ends") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    test::signal until{pool.get_executor()};
    const auto pending = pool.apply_async(wait_first, until.path(), 7);
    CHECK_FALSE(pending.ready());
    CHECK(pending.total() == 1);
    CHECK(pending.remaining() == 1);
    CHECK_THROWS_AS(pending.successful(), coterie::error);
    try {
      static_cast<void>(pending.successful());
    } catch (const coterie::error& problem) {
      CHECK(problem.code() == coterie::errc::not_ready);
    }
    until.give();
    const bool there = co_await pending.wait();
    CHECK(there);
    CHECK(pending.ready());
    CHECK(pending.successful());
    CHECK(pending.remaining() == 0);
    const int value = co_await pending.get();
    CHECK(value == 7);
  });
}

TEST_CASE("given a call that failed, when it is looked at, then it is ready but not successful") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto pending = pool.apply_async(fail, 3);
    const bool there = co_await pending.wait(test::deadline);
    CHECK(there);
    CHECK(pending.ready());
    CHECK_FALSE(pending.successful());
    for (int again = 0; again < 2; ++again) {
      const auto problem = co_await test::failure_of(pending.get());
      CHECK(test::as<std::out_of_range>(problem).what() == std::string{"3"});
    }
  });
}

TEST_CASE("given a time that is too short, when waited, then the call goes on") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    test::signal until{pool.get_executor()};
    const auto pending = pool.apply_async(wait_first, until.path(), 7);
    const bool there = co_await pending.wait(1ms);
    CHECK_FALSE(there);
    const bool at_once = co_await pending.wait(0s);
    CHECK_FALSE(at_once);
    const bool before = co_await pending.wait(-1s);
    CHECK_FALSE(before);
    const auto problem = co_await test::failure_of(pending.get(1ms));
    CHECK(test::as<coterie::timeout_error>(problem).code() == coterie::errc::timeout);
    until.give();
    const int value = co_await pending.get(test::deadline);
    CHECK(value == 7);
    const bool later = co_await pending.wait(0s);
    CHECK(later);
    CHECK(pool.stats().workers_started == 1);
  });
}

TEST_CASE("given an endless time, when waited, then it does not overflow") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto pending = pool.apply_async(square, 3);
    const bool there = co_await pending.wait(std::chrono::hours::max());
    CHECK(there);
    const int value = co_await pending.get(std::chrono::nanoseconds::max());
    CHECK(value == 9);
  });
}

TEST_CASE("given a value that can be copied, when got twice, then it is there both times") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto pending = pool.map_async(square, std::vector<int>{1, 2, 3});
    for (int again = 0; again < 3; ++again) {
      const auto values = co_await pending.get();
      CHECK(values == std::vector<int>{1, 4, 9});
    }
  });
}

TEST_CASE("given a value that only moves, when got twice, then the second fails") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto pending = pool.apply_async(boxed, 5);
    const auto value = co_await pending.get();
    REQUIRE(value != nullptr);
    CHECK(*value == 5);
    CHECK(pending.successful());
    const auto problem = co_await test::failure_of(pending.get());
    CHECK(test::as<coterie::error>(problem).code() == coterie::errc::result_taken);
  });
}

TEST_CASE("given a call that returns nothing, when got, then it only says that it has ended") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto one = pool.apply_async([] {});
    static_assert(std::is_same_v<decltype(one), const coterie::async_result<void>>);
    co_await one.get();
    CHECK(one.successful());
    const auto many = pool.map_async([](int) {}, std::views::iota(0, 10));
    static_assert(std::is_same_v<decltype(many), const coterie::async_result<void>>);
    co_await many.get();
    CHECK(many.total() == 10);
    CHECK(many.remaining() == 0);
  });
}

TEST_CASE("given a map that is under way, when asked, then remaining goes down to nothing") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    test::signal until{pool.get_executor()};
    const auto pending = pool.map_async(coterie::bind(wait_first, until.path()),
                                        std::views::iota(0, 10), {.chunksize = 1});
    CHECK(pending.total() == 10);
    CHECK(pending.remaining() == 10);
    for (std::size_t left = 9; left > 0; --left) {
      until.give();
      while (pending.remaining() > left) co_await asio::post(asio::use_awaitable);
      CHECK(pending.remaining() == left);
      CHECK_FALSE(pending.ready());
    }
    until.give();
    const auto values = co_await pending.get();
    CHECK(values.size() == 10);
    CHECK(pending.remaining() == 0);
    CHECK(pending.total() == 10);
  });
}

TEST_CASE("given a range of unknown length, when asked, then total is 0 and the values all come") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto pending =
        pool.map_async(square, std::views::iota(0, 20) |
                                   std::views::filter([](int each) { return each % 2 == 0; }));
    CHECK(pending.total() == 0);
    CHECK(pending.remaining() == 0);
    const auto values = co_await pending.get();
    CHECK(values.size() == 10);
  });
}

TEST_CASE(
    "given callbacks, when the call succeeds, then each runs once and no error callback does") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    test::signal until{pool.get_executor()};
    std::vector<int> values;
    int failures = 0;
    const auto pending = pool.apply_async(wait_first, until.path(), 7);
    pending.callback([&](int value) { values.push_back(value); })
        .callback([&](int value) { values.push_back(value + 1); })
        .error_callback([&](const std::exception_ptr&) { ++failures; });
    co_await turn();
    CHECK(values.empty());
    until.give();
    co_await pending.wait();
    co_await turn();
    CHECK(values == std::vector<int>{7, 8});
    // Added when the value is there already.
    bool inside = true;
    pending.callback([&](int value) {
      CHECK_FALSE(inside);
      values.push_back(value + 2);
    });
    pending.error_callback([&](const std::exception_ptr&) { ++failures; });
    inside = false;
    co_await turn();
    CHECK(values == std::vector<int>{7, 8, 9});
    CHECK(failures == 0);
  });
}

TEST_CASE("given callbacks, when the call fails, then the error callback runs, once") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    int values = 0;
    std::vector<std::exception_ptr> failures;
    const auto pending = pool.apply_async(fail, 4);
    const auto on_value = [&](int) { ++values; };
    const auto on_failure = [&](const std::exception_ptr& problem) { failures.push_back(problem); };
    pending.callback(on_value).error_callback(on_failure);
    co_await pending.wait();
    co_await turn();
    CHECK(failures.size() == 1);
    pending.error_callback(on_failure).callback(on_value);
    co_await turn();
    REQUIRE(failures.size() == 2);
    for (const auto& problem : failures) {
      CHECK(test::as<std::out_of_range>(problem).what() == std::string{"4"});
    }
    CHECK(values == 0);
  });
}

TEST_CASE("given a call without a value, when it ends, then its callback takes nothing") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    int times = 0;
    const auto pending = pool.apply_async([] {});
    pending.callback([&] { ++times; });
    co_await pending.get();
    co_await turn();
    CHECK(times == 1);
  });
}

TEST_CASE("given a callback with an executor, when it runs, then it runs there") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    auto strand = asio::make_strand(pool.get_executor());
    bool there = false;
    const auto pending = pool.apply_async(square, 2);
    pending.callback(
        asio::bind_executor(strand, [&](int) { there = strand.running_in_this_thread(); }));
    co_await pending.wait();
    while (!there) co_await asio::post(asio::use_awaitable);
    CHECK(there);
  });
}

TEST_CASE("given a callback that starts the next call, when it runs, then that runs, too") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    std::vector<int> values;
    pool.apply_async(square, 2).callback([&](int value) {
      values.push_back(value);
      pool.apply_async(square, value).callback([&](int next) { values.push_back(next); });
    });
    while (values.size() < 2) co_await asio::post(asio::use_awaitable);
    CHECK(values == std::vector<int>{4, 16});
  });
}

TEST_CASE("given a callback that throws, when it runs, then the exception leaves the event loop") {
  asio::io_context loop{1};
  coterie::pool pool{loop, {.processes = 1}};
  pool.apply_async(square, 2).callback([](int) { throw std::range_error{"from the callback"}; });
  CHECK_THROWS_AS(loop.run_for(test::deadline), std::range_error);
  auto after = pool.apply(square, 3, asio::use_future);
  pool.close();
  loop.run_for(test::deadline);
  CHECK(loop.stopped());
  CHECK(after.get() == 9);
}

TEST_CASE("given a call that is cancelled, when it runs, then it ends at once, and is replaced") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    test::signal begun{pool.get_executor()};
    test::signal never{pool.get_executor()};
    const auto pending = pool.apply_async(
        [](const std::string& here, const std::string& until) {
          test::give_signal(here);
          test::await_signal(until);
        },
        begun.path(), never.path());
    int failures = 0;
    pending.error_callback([&](const std::exception_ptr&) { ++failures; });
    co_await begun.arrived();
    pending.cancel();
    const auto problem = co_await test::failure_of(pending.get());
    CHECK(test::as<boost::system::system_error>(problem).code() == asio::error::operation_aborted);
    CHECK(pending.ready());
    CHECK_FALSE(pending.successful());
    pending.cancel();
    const int nine = co_await pool.apply(square, 3);
    CHECK(nine == 9);
    CHECK(failures == 1);
    CHECK(pool.stats().workers_started == 2);
    CHECK(pool.stats().workers_crashed == 0);
  });
}

TEST_CASE("given a call that has ended, when it is cancelled, then it keeps its value") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto pending = pool.apply_async(square, 3);
    co_await pending.wait();
    pending.cancel();
    const int nine = co_await pending.get();
    CHECK(nine == 9);
    CHECK(pending.successful());
    CHECK(pool.stats().workers_started == 1);
  });
}

TEST_CASE("given a wait, when it is cancelled, then the call goes on") {
  using namespace asio::experimental::awaitable_operators;
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    test::signal until{pool.get_executor()};
    const auto pending = pool.apply_async(wait_first, until.path(), 7);
    asio::steady_timer timer{pool.get_executor(), 1ms};
    const auto first = co_await (pending.get() || timer.async_wait(asio::use_awaitable));
    CHECK(first.index() == 1);
    timer.expires_after(1ms);
    const auto second = co_await (pending.wait() || timer.async_wait(asio::use_awaitable));
    CHECK(second.index() == 1);
    until.give();
    const int value = co_await pending.get();
    CHECK(value == 7);
    CHECK(pool.stats().workers_started == 1);
  });
}

TEST_CASE("given several waits, when the call ends, then all of them end") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    test::signal until{pool.get_executor()};
    const auto pending = pool.apply_async(wait_first, until.path(), 7);
    const auto copy = pending;
    int served = 0;
    const auto count = [&](const std::exception_ptr& problem, int value) {
      CHECK_FALSE(problem);
      served += value == 7 ? 1 : 0;
    };
    pending.get(count);
    copy.get(count);
    pending.get(test::deadline, count);
    copy.wait([&](const std::exception_ptr& problem, bool there) {
      CHECK_FALSE(problem);
      served += there ? 1 : 0;
    });
    until.give();
    while (served < 4) co_await asio::post(asio::use_awaitable);
    CHECK(copy.ready());
  });
}

TEST_CASE("given a handle that is dropped, when the call runs, then it runs all the same") {
  const test::directory directory;
  const std::string marks = directory.file("marks");
  test::with_pool(1, [&](coterie::pool& pool) -> asio::awaitable<void> {
    {
      [[maybe_unused]] const auto dropped = pool.apply_async(test::leave_mark, marks);
    }
    bool called = false;
    pool.apply_async(square, 2).callback([&](int) { called = true; });
    while (!called) co_await asio::post(asio::use_awaitable);
    CHECK(test::marks_in(marks) == 1);
  });
}

TEST_CASE("given a handle that outlives its pool, when asked, then it has what there was") {
  test::run([]() -> asio::awaitable<void> {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    std::optional<coterie::pool> pool;
    pool.emplace(executor, coterie::pool_options{.processes = 1});
    test::signal never{executor};
    const auto done = pool->apply_async(square, 3);
    co_await done.wait();
    const auto pending = pool->apply_async(wait_first, never.path(), 1);
    int failures = 0;
    pending.error_callback([&](const std::exception_ptr&) { ++failures; });
    pool.reset();
    const int nine = co_await done.get();
    CHECK(nine == 9);
    const auto problem = co_await test::failure_of(pending.get());
    CHECK(test::as<coterie::pool_terminated>(problem).code() == coterie::errc::pool_terminated);
    pending.cancel();
    co_await turn();
    CHECK(failures == 1);
  });
}

TEST_CASE(
    "given a call that ends about when its time does, when got, then one of both comes _edge") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    int values = 0;
    int timeouts = 0;
    for (int times = 0; times < 100; ++times) {
      const auto pending = pool.apply_async(square, 3);
      const auto problem = co_await test::failure_of(pending.get(std::chrono::microseconds{times}));
      if (problem) {
        static_cast<void>(test::as<coterie::timeout_error>(problem));
        ++timeouts;
      } else {
        ++values;
      }
      const int value = co_await pending.get();
      REQUIRE(value == 9);
    }
    CHECK(values + timeouts == 100);
  });
}

TEST_CASE(
    "given a call that ends about when it is cancelled, when got, then one of both comes _edge") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    for (int turns = 0; turns < 30; ++turns) {
      const auto pending = pool.apply_async(square, 3);
      int calls = 0;
      pending.callback([&](int) { ++calls; });
      pending.error_callback([&](const std::exception_ptr&) { ++calls; });
      for (int each = 0; each < turns; ++each) co_await asio::post(asio::use_awaitable);
      pending.cancel();
      const bool there = co_await pending.wait();
      REQUIRE(there);
      if (!pending.successful()) {
        const auto problem = co_await test::failure_of(pending.get());
        REQUIRE(test::as<boost::system::system_error>(problem).code() ==
                asio::error::operation_aborted);
      }
      co_await turn();
      REQUIRE(calls == 1);
    }
    const int nine = co_await pool.apply(square, 3);
    CHECK(nine == 9);
  });
}
