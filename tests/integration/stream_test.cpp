// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <numeric>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#include "support/run.hpp"
#include "support/signal.hpp"

namespace asio = boost::asio;

namespace {

int square(int number) { return number * number; }

int subtract(int from, int what) { return from - what; }

int refuse_odd(int number) {
  if (number % 2 != 0) throw std::invalid_argument{"odd"};
  return number;
}

// Holds the item 0 back until the signal.
int hold_first(const std::string& until, int number) {
  if (number == 0) test::await_signal(until);
  return number;
}

// Counts what is read from it; endless unless it is told to throw.
auto counting(int& read, int throws_at = -1) {
  return std::views::iota(0) | std::views::transform([&read, throws_at](int number) {
           if (number == throws_at) throw std::length_error{"the input"};
           ++read;
           return number;
         });
}

}  // namespace

TEST_CASE("given a finite input, when imap is read, then results come in order, then the end") {
  test::with_pool(3, [](coterie::pool& pool) -> asio::awaitable<void> {
    auto squares = pool.imap(square, std::views::iota(0, 500));
    for (int number = 0; number < 500; ++number) {
      const std::optional<int> next = co_await squares.next();
      REQUIRE(next == number * number);
    }
    for (int again = 0; again < 3; ++again) {
      const std::optional<int> end = co_await squares.next();
      CHECK(end == std::nullopt);
    }
  });
}

TEST_CASE("given a finite input, when imap_unordered is read, then each result comes once") {
  test::with_pool(3, [](coterie::pool& pool) -> asio::awaitable<void> {
    auto squares = pool.imap_unordered(square, std::views::iota(0, 500));
    auto all = co_await test::drain(squares);
    std::ranges::sort(all);
    REQUIRE(all.size() == 500);
    for (int number = 0; number < 500; ++number) {
      REQUIRE(all[static_cast<std::size_t>(number)] == number * number);
    }
    const std::optional<int> end = co_await squares.next();
    CHECK(end == std::nullopt);
  });
}

TEST_CASE("given tuples, when istarmap is read, then each was spread, and the order is kept") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    const std::vector<std::tuple<int, int>> pairs{{5, 1}, {5, 2}, {5, 3}};
    auto differences = pool.istarmap(subtract, pairs);
    const auto all = co_await test::drain(differences);
    CHECK(all == std::vector<int>{4, 3, 2});
  });
}

TEST_CASE("given tuples, when istarmap_unordered is read, then each was spread") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    const std::vector<std::pair<int, int>> pairs{{5, 1}, {5, 2}, {5, 3}};
    auto differences = pool.istarmap_unordered(subtract, pairs);
    auto all = co_await test::drain(differences);
    std::ranges::sort(all);
    CHECK(all == std::vector<int>{2, 3, 4});
  });
}

TEST_CASE("given every chunk size and window, when streams are read, then nothing is lost") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    for (const std::size_t chunksize : {0, 1, 3, 100}) {
      for (const std::size_t window : {0, 1, 2, 17}) {
        coterie::stream_options options;
        options.chunksize = chunksize;
        options.window = window;
        auto ordered = pool.imap(square, std::views::iota(0, 60), options);
        auto unordered = pool.imap_unordered(square, std::views::iota(0, 60), options);
        const auto in_order = co_await test::drain(ordered);
        REQUIRE(in_order.size() == 60);
        CHECK(std::ranges::is_sorted(in_order));
        auto in_any_order = co_await test::drain(unordered);
        std::ranges::sort(in_any_order);
        CHECK(in_any_order == in_order);
      }
    }
  });
}

TEST_CASE("given no items, when a stream is read, then it ends at once") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    auto ordered = pool.imap(square, std::vector<int>{});
    auto unordered = pool.imap_unordered(square, std::vector<int>{});
    const auto first = co_await ordered.next();
    const auto second = co_await unordered.next();
    CHECK_FALSE(first.has_value());
    CHECK_FALSE(second.has_value());
  });
}

TEST_CASE("given a function that returns nothing, when imap is read, then it gives monostates") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    auto done = pool.imap([](int) {}, std::views::iota(0, 5));
    static_assert(std::is_same_v<decltype(done)::value_type, std::monostate>);
    const auto all = co_await test::drain(done);
    CHECK(all.size() == 5);
  });
}

TEST_CASE("given a slow first item, when imap_unordered is read, then the others come before it") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    test::signal until{pool.get_executor()};
    auto numbers = pool.imap_unordered(coterie::bind(hold_first, until.path()),
                                       std::views::iota(0, 20), {.chunksize = 1});
    std::vector<int> others;
    for (int count = 0; count < 19; ++count) {
      const auto next = co_await numbers.next();
      REQUIRE(next.has_value());
      others.push_back(*next);
    }
    CHECK(std::ranges::find(others, 0) == others.end());
    until.give();
    const auto last = co_await numbers.next();
    CHECK(last == 0);
    const auto end = co_await numbers.next();
    CHECK_FALSE(end.has_value());
  });
}

TEST_CASE("given a slow first item, when imap is read, then the others wait for it") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    test::signal until{pool.get_executor()};
    auto numbers = pool.imap(coterie::bind(hold_first, until.path()), std::views::iota(0, 20),
                             {.chunksize = 1});
    // All others have been done, and still none is given.
    while (pool.stats().tasks_done < 19) co_await asio::post(asio::use_awaitable);
    until.give();
    const auto all = co_await test::drain(numbers);
    CHECK(std::ranges::equal(all, std::views::iota(0, 20)));
  });
}

TEST_CASE("given a window, when it is not read, then no more than that is taken from the input") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    for (const std::size_t window : {1, 2, 10, 64}) {
      for (const std::size_t chunksize : {0, 1, 5, 100}) {
        int read = 0;
        coterie::stream_options options;
        options.chunksize = chunksize;
        options.window = window;
        const auto before = pool.stats().tasks_done;
        auto numbers = pool.imap(square, counting(read), options);
        while (pool.stats().tasks_done < before + window) {
          REQUIRE(static_cast<std::size_t>(read) <= window);
          co_await asio::post(asio::use_awaitable);
        }
        CHECK(static_cast<std::size_t>(read) == window);

        for (std::size_t given = 1; given <= 3 * window; ++given) {
          const auto next = co_await numbers.next();
          REQUIRE(next.has_value());
          REQUIRE(static_cast<std::size_t>(read) <= window + given);
        }
      }
    }
  });
}

TEST_CASE(
    "given a full window, when a reader takes one and goes elsewhere, then the window moves") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    int read = 0;
    auto numbers = pool.imap(square, counting(read), {.chunksize = 1, .window = 64});
    while (pool.stats().tasks_done < 64) co_await asio::post(asio::use_awaitable);
    CHECK(read == 64);
    const auto next = co_await numbers.next();
    CHECK(next == 0);
    for (int turns = 0; turns < 10; ++turns) co_await asio::post(asio::use_awaitable);
    CHECK(read == 65);
  });
}

TEST_CASE(
    "given results at hand, when they are read in a row, then the event loop gets its turns") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    constexpr int items = 1000;
    const auto executor = co_await asio::this_coro::executor;
    auto numbers = pool.imap(square, std::views::iota(0, items), {.window = items});
    while (pool.stats().tasks_done < items) co_await asio::post(asio::use_awaitable);
    int turns = 0;
    bool over = false;
    const std::function<void()> turn = [&] {
      ++turns;
      if (!over) asio::post(executor, [&turn] { turn(); });
    };
    asio::post(executor, [&turn] { turn(); });
    while (co_await numbers.next()) {
    }
    over = true;
    CHECK(turns >= items / 100);
    for (int last = 0; last < 2; ++last) co_await asio::post(asio::use_awaitable);
  });
}

TEST_CASE("given a window and a slow first item, when imap is read, then the rest stays in it") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    test::signal until{pool.get_executor()};
    int read = 0;
    auto numbers = pool.imap(coterie::bind(hold_first, until.path()), counting(read),
                             {.chunksize = 1, .window = 12});
    while (pool.stats().tasks_done < 11) co_await asio::post(asio::use_awaitable);
    CHECK(read == 12);
    until.give();
    for (int number = 0; number < 100; ++number) {
      const auto next = co_await numbers.next();
      REQUIRE(next == number);
      REQUIRE(read <= 12 + number + 1);
    }
  });
}

TEST_CASE("given an endless input, when much is read, then memory stays within the window") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    int read = 0;
    constexpr int items = 20'000;
    constexpr int window = 1000;
    auto numbers = pool.imap(
        square, counting(read) | std::views::transform([](int number) { return number % 1000; }),
        {.window = window});
    for (int number = 0; number < items; ++number) {
      const auto next = co_await numbers.next();
      REQUIRE(next == square(number % 1000));
      REQUIRE(read <= number + 1 + window);
    }
  });
}

TEST_CASE(
    "given large items without end, when it is not read, then only so many wait for a reader") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    constexpr std::size_t size = 10'000;
    constexpr std::size_t much = std::size_t{512} << 20U;
    int read = 0;
    auto texts = pool.imap(
        [](std::string text) { return text; },
        counting(read) | std::views::transform([](int) { return std::string(size, 'x'); }));
    // The window is automatic. It is full when all that was taken is done and no more is taken.
    for (int before = -1; before != read;) {
      before = read;
      while (pool.stats().tasks_done < static_cast<std::size_t>(before)) {
        co_await asio::post(asio::use_awaitable);
      }
      REQUIRE(static_cast<std::size_t>(read) * size < much);
    }
    const auto next = co_await texts.next();
    CHECK(next == std::string(size, 'x'));
  });
}

TEST_CASE("given items that fail, when imap is read, then each throws in its turn") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    auto numbers = pool.imap(refuse_odd, std::views::iota(0, 50));
    for (int number = 0; number < 50; ++number) {
      if (number % 2 == 0) {
        const auto next = co_await numbers.next();
        REQUIRE(next == number);
      } else {
        const auto problem = co_await test::failure_of(numbers.next());
        REQUIRE(test::as<std::invalid_argument>(problem).what() == std::string{"odd"});
        const auto* const origin = coterie::get_remote_info(problem);
        REQUIRE(origin != nullptr);
        REQUIRE(origin->item() == static_cast<std::size_t>(number));
      }
    }
    const auto end = co_await numbers.next();
    CHECK_FALSE(end.has_value());
  });
}

TEST_CASE(
    "given items that fail, when imap_unordered is read, then the stream goes on after each") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    auto numbers = pool.imap_unordered(refuse_odd, std::views::iota(0, 50));
    int failures = 0;
    int values = 0;
    for (bool more = true; more;) {
      bool failed = false;
      try {
        more = (co_await numbers.next()).has_value();
      } catch (const std::invalid_argument&) {
        failed = true;
      }
      failures += failed ? 1 : 0;
      values += !failed && more ? 1 : 0;
    }
    CHECK(failures == 25);
    CHECK(values == 25);
  });
}

TEST_CASE(
    "given a worker that dies, when the stream is read, then its item throws and it goes on") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    auto numbers = pool.imap(
        [](int number) {
          if (number == 10) std::_Exit(7);
          return number;
        },
        std::views::iota(0, 30), {.chunksize = 1});
    for (int number = 0; number < 30; ++number) {
      if (number == 10) {
        const auto problem = co_await test::failure_of(numbers.next());
        const auto crash = test::as<coterie::worker_crashed>(problem);
        CHECK(crash.exit_code() == 7);
        CHECK(crash.item() == 10);
      } else {
        const auto next = co_await numbers.next();
        REQUIRE(next == number);
      }
    }
    const auto end = co_await numbers.next();
    CHECK_FALSE(end.has_value());
  });
}

TEST_CASE(
    "given input that throws at once, when the stream is read, then that comes, and the end") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    int read = 0;
    auto numbers = pool.imap(square, counting(read, 0));
    const auto problem = co_await test::failure_of(numbers.next());
    CHECK(test::as<std::length_error>(problem).what() == std::string{"the input"});
    CHECK(coterie::get_remote_info(problem) == nullptr);
    for (int again = 0; again < 2; ++again) {
      const auto end = co_await numbers.next();
      CHECK_FALSE(end.has_value());
    }
    const int nine = co_await pool.apply(square, 3);
    CHECK(nine == 9);
  });
}

TEST_CASE("given input that throws midway, when imap is read, then what came before is there") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    for (const std::size_t chunksize : {0, 1, 4, 100}) {
      int read = 0;
      auto numbers = pool.imap(square, counting(read, 21), {.chunksize = chunksize});
      for (int number = 0; number < 21; ++number) {
        const auto next = co_await numbers.next();
        REQUIRE(next == number * number);
      }
      const auto problem = co_await test::failure_of(numbers.next());
      CHECK(test::as<std::length_error>(problem).what() == std::string{"the input"});
      const auto end = co_await numbers.next();
      CHECK_FALSE(end.has_value());
    }
  });
}

TEST_CASE("given input that throws midway, when imap_unordered is read, then nothing is lost") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    int read = 0;
    auto numbers = pool.imap_unordered(square, counting(read, 21));
    std::vector<int> values;
    int failures = 0;
    for (bool more = true; more;) {
      try {
        const auto next = co_await numbers.next();
        more = next.has_value();
        if (next) values.push_back(*next);
      } catch (const std::length_error&) {
        ++failures;
      }
    }
    CHECK(values.size() == 21);
    CHECK(failures == 1);
  });
}

TEST_CASE(
    "given a stream that is dropped midway, when it goes, then what has not begun never runs") {
  const test::directory directory;
  const std::string marks = directory.file("marks");
  test::with_pool(2, [&](coterie::pool& pool) -> asio::awaitable<void> {
    const auto mark = coterie::bind(
        [](const std::string& file, int number) {
          test::leave_mark(file);
          return number;
        },
        marks);
    int read = 0;
    {
      auto numbers = pool.imap(mark, counting(read), {.chunksize = 1, .window = 8});
      for (int number = 0; number < 20; ++number) {
        const auto next = co_await numbers.next();
        REQUIRE(next == number);
      }
    }
    const int taken = read;
    CHECK(taken <= 28);
    // Both workers have a turn after whatever they held.
    const auto nothing = co_await pool.map(square, std::views::iota(0, 100), {.chunksize = 1});
    CHECK(nothing.size() == 100);
    CHECK(read == taken);
    CHECK(test::marks_in(marks) <= static_cast<std::size_t>(taken));
    CHECK(pool.stats().jobs_pending == 0);
  });
}

TEST_CASE("given a stream that is dropped, when it owned its input, then the input is gone too") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto witness = std::make_shared<int>(0);
    {
      auto numbers = pool.imap(
          square, std::views::iota(0) |
                      std::views::transform([witness](int number) { return number + *witness; }));
      const auto next = co_await numbers.next();
      CHECK(next == 0);
      CHECK(witness.use_count() > 1);
    }
    co_await pool.apply(square, 1);
    CHECK(witness.use_count() == 1);
  });
}

TEST_CASE(
    "given a reader that waits, when the stream is dropped, then it hears operation_aborted") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    test::signal until{pool.get_executor()};
    std::optional<coterie::stream<int>> numbers{
        pool.imap(coterie::bind(hold_first, until.path()), std::views::iota(0, 5))};
    auto waiting = numbers->next(asio::use_future);
    numbers.reset();
    while (waiting.wait_for(std::chrono::seconds{0}) != std::future_status::ready) {
      co_await asio::post(asio::use_awaitable);
    }
    CHECK_THROWS_AS(waiting.get(), boost::system::system_error);
    until.give();
  });
}

TEST_CASE("given several readers, when they wait, then they are served in the order they came") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    auto numbers = pool.imap(square, std::views::iota(0, 3));
    std::vector<int> order;
    std::vector<std::optional<int>> given(5);
    for (int reader = 0; reader < 5; ++reader) {
      numbers.next([&, reader](const std::exception_ptr& problem, std::optional<int> next) {
        REQUIRE_FALSE(problem);
        order.push_back(reader);
        given[static_cast<std::size_t>(reader)] = next;
      });
    }
    while (order.size() < 5) co_await asio::post(asio::use_awaitable);
    CHECK(order == std::vector<int>{0, 1, 2, 3, 4});
    CHECK(given == std::vector<std::optional<int>>{0, 1, 4, std::nullopt, std::nullopt});
  });
}

TEST_CASE("given a reader that waits, when it is cancelled, then no result is lost") {
  using namespace asio::experimental::awaitable_operators;
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    test::signal until{pool.get_executor()};
    auto numbers = pool.imap(coterie::bind(hold_first, until.path()), std::views::iota(0, 5));
    asio::steady_timer timer{pool.get_executor(), std::chrono::milliseconds{1}};
    const auto first = co_await (numbers.next() || timer.async_wait(asio::use_awaitable));
    CHECK(first.index() == 1);
    until.give();
    const auto all = co_await test::drain(numbers);
    CHECK(all == std::vector<int>{0, 1, 2, 3, 4});
  });
}

TEST_CASE("given a result and a cancellation at once, when next races, then none is lost _edge") {
  using namespace asio::experimental::awaitable_operators;
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    constexpr int items = 300;
    auto numbers = pool.imap(square, std::views::iota(0, items), {.chunksize = 1});
    int expected = 0;
    while (expected < items) {
      // Both are ready at about the same time, in either order.
      const auto won = co_await (numbers.next() || asio::post(asio::use_awaitable));
      if (won.index() == 0) {
        REQUIRE(std::get<0>(won) == expected * expected);
        ++expected;
        continue;
      }
      if (pool.stats().tasks_done == static_cast<std::size_t>(items)) break;
    }
    const auto rest = co_await test::drain(numbers);
    // A result that was on its way when the other side won is allowed to be lost by `||`, which
    // drops it; the stream itself gives each exactly once, in order.
    CHECK(std::ranges::is_sorted(rest));
  });
}

TEST_CASE("given a moved stream, when it is read, then it goes on where it was") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    auto numbers = pool.imap(square, std::views::iota(0, 4));
    const auto first = co_await numbers.next();
    CHECK(first == 0);
    auto moved = std::move(numbers);
    const auto second = co_await moved.next();
    CHECK(second == 1);
    moved = pool.imap(square, std::views::iota(10, 11));
    const auto other = co_await test::drain(moved);
    CHECK(other == std::vector<int>{100});
  });
}

TEST_CASE("given results that wait to be read, when the pool is closed, then they still come") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    auto numbers = pool.imap(square, std::views::iota(0, 1000), {.window = 10});
    pool.close();
    const auto all = co_await test::drain(numbers);
    CHECK(all.size() == 1000);
    co_await pool.join();
    CHECK_THROWS_AS(static_cast<void>(pool.imap(square, std::views::iota(0, 1))),
                    coterie::pool_closed);
  });
}

TEST_CASE(
    "given a stream, when the pool is terminated, then what is there comes, then the reason") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    auto numbers = pool.imap(square, std::views::iota(0), {.chunksize = 1, .window = 4});
    while (pool.stats().tasks_done < 4) co_await asio::post(asio::use_awaitable);
    pool.terminate();
    for (int number = 0; number < 4; ++number) {
      const auto next = co_await numbers.next();
      CHECK(next == number * number);
    }
    const auto problem = co_await test::failure_of(numbers.next());
    CHECK(test::as<coterie::pool_terminated>(problem).code() == coterie::errc::pool_terminated);
    const auto end = co_await numbers.next();
    CHECK_FALSE(end.has_value());
  });
}

TEST_CASE("given a stream that outlives its pool, when it is read, then it says so and ends") {
  test::run([]() -> asio::awaitable<void> {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    std::optional<coterie::pool> pool;
    pool.emplace(executor, coterie::pool_options{.processes = 1});
    auto numbers = pool->imap([](int number) { return number; }, std::views::iota(0));
    pool.reset();
    std::exception_ptr problem;
    while (!problem) problem = co_await test::failure_of(numbers.next());
    CHECK(test::as<coterie::pool_terminated>(problem).code() == coterie::errc::pool_terminated);
    const auto end = co_await numbers.next();
    CHECK_FALSE(end.has_value());
  });
}

TEST_CASE("given a stream of a stream, when both are read, then results flow through") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    auto squares = pool.imap(square, std::views::iota(0, 20));
    int sum = 0;
    while (const auto next = co_await squares.next()) {
      sum += co_await pool.apply(subtract, *next, 1);
    }
    CHECK(sum == 2470 - 20);
  });
}
