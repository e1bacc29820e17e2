// SPDX-License-Identifier: BSL-1.0
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#include "support/run.hpp"
#include "support/signal.hpp"

namespace asio = boost::asio;

namespace {

double power_of(double base, int exponent) {
  double power = 1;
  for (; exponent > 0; --exponent) power *= base;
  return power;
}

int answer() { return 42; }

void do_nothing() {}

struct point {
  int x;
  int y;
};

point mirror(point given) { return {.x = given.y, .y = given.x}; }

std::string shout(std::string_view words, std::size_t times) {
  std::string all;
  for (; times > 0; --times) all += words;
  return all;
}

std::unique_ptr<int> twice(std::unique_ptr<int> number) {
  *number *= 2;
  return number;
}

std::size_t sum_of(std::span<const std::uint8_t> bytes) {
  std::size_t sum = 0;
  for (const std::uint8_t each : bytes) sum += each;
  return sum;
}

int count_of_calls() {
  static int calls = 0;
  return ++calls;
}

}  // namespace

TEST_CASE("given a function, when it is applied, then its value comes back") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    const double power = co_await pool.apply(power_of, 2.0, 10);
    CHECK(power == 1024);
    const int number = co_await pool.apply(answer);
    CHECK(number == 42);
  });
}

TEST_CASE("given arguments of other types, when applied, then they are converted as in a call") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const double power = co_await pool.apply(power_of, 2, short{10});
    CHECK(power == 1024);
    const std::string text = co_await pool.apply(shout, "hey", 3);
    CHECK(text == "heyheyhey");
  });
}

TEST_CASE("given a function that returns nothing, when applied, then the operation completes") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    static_assert(std::is_same_v<decltype(pool.apply(do_nothing)), asio::awaitable<void>>);
    co_await pool.apply(do_nothing);
    CHECK(pool.stats().tasks_done == 1);
  });
}

TEST_CASE("given a task, when it runs, then it runs in another process, which knows its rank") {
  test::with_pool(3, [](coterie::pool& pool) -> asio::awaitable<void> {
    const int pid = co_await pool.apply(::getpid);
    CHECK(pid != ::getpid());
    const int rank = co_await pool.apply(coterie::this_worker::rank);
    CHECK(rank >= 0);
    CHECK(rank < 3);
    const int size = co_await pool.apply(coterie::this_worker::size);
    CHECK(size == 3);
    CHECK(coterie::this_worker::rank() == -1);
    CHECK(coterie::this_worker::size() == 0);
  });
}

TEST_CASE("given an aggregate, when applied, then it travels there and back") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const point given{.x = 3, .y = 4};
    const point mirrored = co_await pool.apply(mirror, given);
    CHECK(mirrored.x == 4);
    CHECK(mirrored.y == 3);
  });
}

TEST_CASE("given a move-only argument, when applied, then it travels there and back") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    auto number = std::make_unique<int>(21);
    const std::unique_ptr<int> doubled = co_await pool.apply(twice, std::move(number));
    REQUIRE(doubled != nullptr);
    CHECK(*doubled == 42);
  });
}

TEST_CASE("given state in a worker, when several calls run there, then it is kept between them") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    for (int expected = 1; expected <= 5; ++expected) {
      const int calls = co_await pool.apply(count_of_calls);
      CHECK(calls == expected);
    }
  });
}

TEST_CASE("given 16 MB each way, when applied, then all bytes arrive") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    constexpr std::size_t size = std::size_t{16} << 20U;
    const std::vector<std::uint8_t> block(size, 1);
    const std::size_t sum = co_await pool.apply(sum_of, block);
    CHECK(sum == size);
    const std::string text = co_await pool.apply(shout, std::string(1024, 'x'), size / 1024);
    CHECK(text == std::string(size, 'x'));
  });
}

TEST_CASE("given many calls at once, when they all run, then each gets its own value") {
  test::with_pool(4, [](coterie::pool& pool) -> asio::awaitable<void> {
    constexpr int calls = 500;
    std::vector<coterie::async_result<int>> pending;
    for (int number = 0; number < calls; ++number) {
      pending.push_back(pool.apply_async([](int each) { return each * each; }, number));
    }
    for (int number = 0; number < calls; ++number) {
      const int square = co_await pending[static_cast<std::size_t>(number)].get();
      REQUIRE(square == number * number);
    }
  });
}

TEST_CASE("given an optional, a tuple and a nested vector, when applied, then they travel") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    using table = std::vector<std::vector<std::string>>;
    const auto describe = [](const std::optional<int>& number, const std::tuple<char, bool>& pair,
                             const table& words) {
      return words.at(1).at(0) + std::to_string(number.value_or(-1)) + std::get<0>(pair);
    };
    const table words{{"a"}, {"b", "c"}};
    const std::string text =
        co_await pool.apply(describe, std::optional{7}, std::tuple{'z', true}, words);
    CHECK(text == "b7z");
  });
}

TEST_CASE(
    "given a pool that has just been made, when work is submitted, then it waits for a worker") {
  test::run([]() -> asio::awaitable<void> {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    coterie::pool pool{executor, {.processes = 1}};
    CHECK(pool.stats().workers_ready == 0);
    const int number = co_await pool.apply(answer);
    CHECK(number == 42);
    CHECK(pool.stats().workers_ready == 1);
    CHECK(pool.stats().jobs_pending == 0);
  });
}

TEST_CASE("given a closed pool, when a call is made, then it fails with pool_closed") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    pool.close();
    const auto problem = co_await test::failure_of(pool.apply(answer));
    CHECK(test::as<coterie::pool_closed>(problem).code() == coterie::errc::pool_closed);
    CHECK_THROWS_AS(static_cast<void>(pool.apply_async(answer)), coterie::pool_closed);
  });
}

TEST_CASE("given a call that is never awaited, when it is dropped, then it never runs") {
  const test::directory directory;
  const std::string marks = directory.file("marks");
  test::with_pool(1, [&](coterie::pool& pool) -> asio::awaitable<void> {
    {
      [[maybe_unused]] const auto lazy = pool.apply(test::leave_mark, marks);
    }
    const int number = co_await pool.apply(answer);
    CHECK(number == 42);
    CHECK(test::marks_in(marks) == 0);
  });
}
