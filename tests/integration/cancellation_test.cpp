// SPDX-License-Identifier: BSL-1.0
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <exception>
#include <optional>
#include <ranges>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#include "support/processes.hpp"
#include "support/run.hpp"
#include "support/signal.hpp"

namespace asio = boost::asio;

using namespace asio::experimental::awaitable_operators;
using namespace std::chrono_literals;

namespace {

int square(int number) { return number * number; }

// Says that it has begun, leaves a mark, and then waits for a signal that may never come.
int begin_and_wait(const std::string& begun, const std::string& until, const std::string& marks,
                   int number) {
  test::leave_mark(marks);
  test::give_signal(begun);
  test::await_signal(until);
  return number;
}

// What a task that waits is told with, and what it tells.
struct scene {
  explicit scene(const coterie::pool& pool)
      : begun{pool.get_executor()}, until{pool.get_executor()} {}

  [[nodiscard]] auto task() const {
    return coterie::bind(begin_and_wait, begun.path(), until.path(), marks());
  }
  [[nodiscard]] std::string marks() const { return directory.file("marks"); }

  test::directory directory;
  test::signal begun;
  test::signal until;
};

bool is_aborted(const std::exception_ptr& problem) {
  return test::as<boost::system::system_error>(problem).code() == asio::error::operation_aborted;
}

// Starts a map with a cancellation slot; its outcome is told through the pointers.
struct cancellable {
  asio::cancellation_signal signal;
  std::exception_ptr problem;
  std::vector<int> values;
  int completions = 0;

  auto handler() {
    return asio::bind_cancellation_slot(signal.slot(),
                                        [this](std::exception_ptr what, std::vector<int> result) {
                                          problem = std::move(what);
                                          values = std::move(result);
                                          ++completions;
                                        });
  }
  asio::awaitable<void> completed() {
    while (completions == 0) co_await asio::post(asio::use_awaitable);
  }
};

}  // namespace

TEST_CASE(
    "given a map whose items run, when cancelled terminally, then their workers are replaced") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    scene here{pool};
    std::set<int> before;
    while (before.size() < 2) {
      const auto pids = co_await pool.map([](int) { return ::getpid(); }, std::views::iota(0, 8),
                                          {.chunksize = 1});
      before.insert(pids.begin(), pids.end());
    }
    cancellable operation;
    pool.map(here.task(), std::views::iota(0, 100), {.chunksize = 1}, operation.handler());
    co_await here.begun.arrived(2);
    operation.signal.emit(asio::cancellation_type::terminal);
    co_await operation.completed();
    CHECK(is_aborted(operation.problem));
    CHECK(operation.completions == 1);

    // The pool is free although the signal was not given.
    const auto pids = co_await pool.map([](int) { return ::getpid(); }, std::views::iota(0, 50),
                                        {.chunksize = 1});
    for (const int pid : pids) CHECK_FALSE(before.contains(pid));
    CHECK(test::marks_in(here.marks()) == 2);
    CHECK(pool.stats().workers_crashed == 0);
    CHECK(pool.stats().jobs_pending == 0);
    // One of the new workers may have been enough for that.
    CHECK(co_await test::soon([&] { return pool.stats().workers_started == 4; }));
  });
}

TEST_CASE("given a map whose items run, when cancelled in part, then its workers finish unheard") {
  for (const auto type : {asio::cancellation_type::partial, asio::cancellation_type::total}) {
    test::with_pool(2, [type](coterie::pool& pool) -> asio::awaitable<void> {
      scene here{pool};
      cancellable operation;
      pool.map(here.task(), std::views::iota(0, 100), {.chunksize = 1}, operation.handler());
      co_await here.begun.arrived(2);
      operation.signal.emit(type);
      // At once: the items that run have not ended.
      co_await operation.completed();
      CHECK(is_aborted(operation.problem));
      here.until.give(2);
      const int nine = co_await pool.apply(square, 3);
      CHECK(nine == 9);
      const auto squares = co_await pool.map(square, std::views::iota(0, 10), {.chunksize = 1});
      CHECK(squares.size() == 10);
      CHECK(operation.completions == 1);
      CHECK(test::marks_in(here.marks()) == 2);
      CHECK(pool.stats().workers_started == 2);
    });
  }
}

TEST_CASE("given queued work, when cancelled, then none of it ever runs") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    scene here{pool};
    const auto busy =
        pool.apply_async(begin_and_wait, here.begun.path(), here.until.path(), here.marks(), 1);
    co_await here.begun.arrived();
    const test::directory directory;
    const std::string marks = directory.file("queued");
    const auto queued = coterie::bind(
        [](const std::string& file, int number) {
          test::leave_mark(file);
          return number;
        },
        marks);
    std::vector<cancellable> operations(3);
    for (auto& each : operations) pool.map(queued, std::views::iota(0, 10), {}, each.handler());
    operations[0].signal.emit(asio::cancellation_type::total);
    operations[1].signal.emit(asio::cancellation_type::partial);
    operations[2].signal.emit(asio::cancellation_type::terminal);
    for (auto& each : operations) {
      co_await each.completed();
      CHECK(is_aborted(each.problem));
    }
    here.until.give();
    const int one = co_await busy.get();
    CHECK(one == 1);
    co_await pool.apply(square, 1);
    CHECK(test::marks_in(marks) == 0);
    // The worker ran nothing of what was cancelled, so it is still the same.
    CHECK(pool.stats().workers_started == 1);
  });
}

TEST_CASE("given two maps, when one is cancelled terminally, then the other is not touched") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    scene first{pool};
    scene second{pool};
    cancellable doomed;
    cancellable other;
    pool.map(first.task(), std::views::iota(0, 1), {.chunksize = 1}, doomed.handler());
    pool.map(second.task(), std::views::iota(0, 1), {.chunksize = 1}, other.handler());
    co_await first.begun.arrived();
    co_await second.begun.arrived();
    doomed.signal.emit(asio::cancellation_type::terminal);
    co_await doomed.completed();
    CHECK(is_aborted(doomed.problem));
    second.until.give();
    co_await other.completed();
    CHECK_FALSE(other.problem);
    CHECK(other.values == std::vector<int>{0});
  });
}

TEST_CASE("given an operation that has completed, when its slot is emitted, then nothing happens") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    cancellable operation;
    pool.map(square, std::views::iota(0, 3), {}, operation.handler());
    co_await operation.completed();
    CHECK_FALSE(operation.problem);
    operation.signal.emit(asio::cancellation_type::terminal);
    const int nine = co_await pool.apply(square, 3);
    CHECK(nine == 9);
    CHECK(operation.completions == 1);
    CHECK(pool.stats().workers_started == 1);
  });
}

TEST_CASE("given a slot that outlives the pool, when it is emitted, then nothing happens") {
  cancellable operation;
  test::run([&]() -> asio::awaitable<void> {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    {
      coterie::pool pool{executor, {.processes = 1}};
      test::signal never{executor};
      pool.map([](int number) { return number; }, std::views::iota(0), {}, operation.handler());
    }
    co_await operation.completed();
    CHECK(test::as<coterie::pool_terminated>(operation.problem).code() ==
          coterie::errc::pool_terminated);
    operation.signal.emit(asio::cancellation_type::terminal);
  });
  operation.signal.emit(asio::cancellation_type::terminal);
  CHECK(operation.completions == 1);
}

TEST_CASE("given a slow map, when a timer wins over it, then the pool is free") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    scene here{pool};
    for (int times = 1; times <= 3; ++times) {
      const std::vector<int> items(20, 0);
      const auto won =
          co_await (pool.map(here.task(), items, {.chunksize = 1}) || here.begun.arrived(2));
      CHECK(won.index() == 1);
      // The signal is never given: only fresh workers can do this.
      const int nine = co_await pool.apply(square, 3);
      CHECK(nine == 9);
      CHECK(pool.stats().jobs_pending == 0);
    }
    CHECK(test::marks_in(here.marks()) == 6);
  });
}

TEST_CASE("given a slow apply, when a timer wins over it, then the pool is free") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    scene here{pool};
    asio::steady_timer timer{pool.get_executor()};
    for (int times = 1; times <= 3; ++times) {
      timer.expires_after(1ms);
      const auto won = co_await (
          pool.apply(begin_and_wait, here.begun.path(), here.until.path(), here.marks(), 1) ||
          timer.async_wait(asio::use_awaitable));
      CHECK(won.index() == 1);
      const int nine = co_await pool.apply(square, 3);
      CHECK(nine == 9);
    }
  });
}

TEST_CASE("given a quick map, when it wins over a timer, then its workers stay") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    asio::steady_timer timer{pool.get_executor(), 10 * test::deadline};
    const auto won = co_await (pool.map(square, std::views::iota(0, 4)) ||
                               timer.async_wait(asio::use_awaitable));
    REQUIRE(won.index() == 0);
    CHECK(std::get<0>(won) == std::vector<int>{0, 1, 4, 9});
    const int nine = co_await pool.apply(square, 3);
    CHECK(nine == 9);
    CHECK(pool.stats().workers_started == 2);
  });
}

TEST_CASE("given a map and a timer that end together, when raced, then either wins whole _edge") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    asio::steady_timer timer{pool.get_executor()};
    // From the timer far ahead to the map far ahead, and all that is between.
    for (int microseconds = 0; microseconds < 600; microseconds += 12) {
      timer.expires_after(std::chrono::microseconds{microseconds});
      const auto won = co_await (timer.async_wait(asio::use_awaitable) ||
                                 pool.map(square, std::views::iota(0, 20), {.chunksize = 1}));
      if (won.index() == 1) {
        const auto& squares = std::get<1>(won);
        REQUIRE(squares.size() == 20);
        REQUIRE(squares[19] == 361);
      }
      const int nine = co_await pool.apply(square, 3);
      REQUIRE(nine == 9);
      REQUIRE(pool.stats().jobs_pending == 0);
    }
    CHECK(pool.stats().workers_crashed == 0);
  });
}

TEST_CASE(
    "given a map, when cancelled before it is begun, then it completes and none of it runs _edge") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    scene here{pool};
    cancellable operation;
    pool.map(here.task(), std::views::iota(0, 10), {}, operation.handler());
    operation.signal.emit(asio::cancellation_type::terminal);
    CHECK(operation.completions == 0);
    co_await operation.completed();
    CHECK(is_aborted(operation.problem));
    const int nine = co_await pool.apply(square, 3);
    CHECK(nine == 9);
    CHECK(test::marks_in(here.marks()) == 0);
  });
}

TEST_CASE("given a map, when cancelled at each moment of its life, then it completes once _edge") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    for (int turns = 0; turns < 40; ++turns) {
      for (const auto type : {asio::cancellation_type::terminal, asio::cancellation_type::total}) {
        cancellable operation;
        pool.map(square, std::views::iota(0, 30), {.chunksize = 1}, operation.handler());
        for (int each = 0; each < turns; ++each) co_await asio::post(asio::use_awaitable);
        operation.signal.emit(type);
        co_await operation.completed();
        if (operation.problem) {
          REQUIRE(is_aborted(operation.problem));
        } else {
          REQUIRE(operation.values.size() == 30);
        }
        const int nine = co_await pool.apply(square, 3);
        REQUIRE(nine == 9);
        REQUIRE(operation.completions == 1);
      }
    }
    CHECK(pool.stats().workers_crashed == 0);
  });
}

TEST_CASE(
    "given a map that is cancelled, when its items fail meanwhile, then it completes once _edge") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    for (int turns = 0; turns < 20; ++turns) {
      cancellable operation;
      pool.map([](int) -> int { throw std::domain_error{"it"}; }, std::views::iota(0, 10), {},
               operation.handler());
      for (int each = 0; each < turns; ++each) co_await asio::post(asio::use_awaitable);
      operation.signal.emit(asio::cancellation_type::terminal);
      co_await operation.completed();
      REQUIRE(operation.problem != nullptr);
      const int nine = co_await pool.apply(square, 3);
      REQUIRE(nine == 9);
      REQUIRE(operation.completions == 1);
    }
  });
}

TEST_CASE("given several maps and a timer, when the timer wins over all, then all are let go") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    scene here{pool};
    const std::vector<int> items(10, 0);
    const auto won = co_await ((pool.map(here.task(), items) && pool.map(here.task(), items)) ||
                               here.begun.arrived(2));
    CHECK(won.index() == 1);
    const int nine = co_await pool.apply(square, 3);
    CHECK(nine == 9);
    CHECK(pool.stats().jobs_pending == 0);
  });
}

TEST_CASE("given a settled map, when cancelled, then the whole call fails") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    scene here{pool};
    const auto won =
        co_await (pool.map_settled(here.task(), std::views::iota(0, 10)) || here.begun.arrived());
    CHECK(won.index() == 1);
    const int nine = co_await pool.apply(square, 3);
    CHECK(nine == 9);
  });
}

TEST_CASE("given a join that waits, when cancelled, then it ends and the pool goes on leaving") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    scene here{pool};
    const auto busy =
        pool.apply_async(begin_and_wait, here.begun.path(), here.until.path(), here.marks(), 1);
    co_await here.begun.arrived();
    pool.close();
    asio::steady_timer timer{pool.get_executor(), 1ms};
    const auto won = co_await (pool.join() || timer.async_wait(asio::use_awaitable));
    CHECK(won.index() == 1);
    here.until.give();
    const int one = co_await busy.get();
    CHECK(one == 1);
    co_await pool.join();
  });
}

TEST_CASE("given a lazy input, when its map is cancelled, then it is not read any further") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    int read = 0;
    auto endless = std::views::iota(0) | std::views::transform([&read](int number) {
                     ++read;
                     return number;
                   });
    asio::steady_timer timer{pool.get_executor()};
    const auto some_read = [&]() -> asio::awaitable<void> {
      while (read < 100) co_await asio::post(asio::use_awaitable);
    };
    const auto won = co_await (pool.map(square, endless) || some_read());
    CHECK(won.index() == 1);
    const int until_then = read;
    const int nine = co_await pool.apply(square, 3);
    CHECK(nine == 9);
    CHECK(read == until_then);
  });
}
