// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <ranges>
#include <set>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#include "support/run.hpp"
#include "support/signal.hpp"

namespace asio = boost::asio;

namespace {

std::int64_t square(std::int64_t number) { return number * number; }

bool is_even(int number) { return number % 2 == 0; }

std::vector<std::int64_t> numbers_to(std::int64_t end) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(end));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

int fail_at_seven(int number) {
  if (number == 7) throw std::domain_error{"seven"};
  return number;
}

// Lets the first item of the input finish after all others.
int in_odd_order(const std::string& last, int number) {
  if (number == 0) test::await_signal(last);
  return number;
}

}  // namespace

TEST_CASE("given a vector, when mapped, then the results stand in the input's order") {
  test::with_pool(4, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto numbers = numbers_to(1000);
    const auto squares = co_await pool.map(square, numbers);
    static_assert(std::is_same_v<decltype(squares), const std::vector<std::int64_t>>);
    REQUIRE(squares.size() == 1000);
    for (std::size_t index = 0; index < 1000; ++index) {
      REQUIRE(squares[index] == square(numbers[index]));
    }
  });
}

TEST_CASE("given every chunk size, when mapped, then the results are the same") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto numbers = numbers_to(100);
    auto expected = numbers;
    for (auto& each : expected) each = square(each);
    for (const std::size_t chunksize : {0, 1, 2, 7, 99, 100, 101, 5000}) {
      const auto squares = co_await pool.map(square, numbers, {.chunksize = chunksize});
      CHECK(squares == expected);
    }
  });
}

TEST_CASE("given every window, when mapped, then the results are the same") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto numbers = numbers_to(100);
    auto expected = numbers;
    for (auto& each : expected) each = square(each);
    for (const std::size_t window : {1, 2, 3, 50, 1000}) {
      for (const std::size_t chunksize : {0, 1, 10}) {
        coterie::map_options options;
        options.chunksize = chunksize;
        options.window = window;
        const auto squares = co_await pool.map(square, numbers, options);
        CHECK(squares == expected);
      }
    }
  });
}

TEST_CASE("given no items, when mapped, then an empty vector comes back") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const std::vector<std::int64_t> none;
    const auto squares = co_await pool.map(square, none);
    CHECK(squares.empty());
  });
}

TEST_CASE("given bools as results, when mapped, then a vector of bool comes back") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto even = co_await pool.map(is_even, std::views::iota(0, 9));
    const std::vector<bool> expected{true, false, true, false, true, false, true, false, true};
    CHECK(even == expected);
  });
}

TEST_CASE("given strings of all lengths, when mapped, then each comes back whole") {
  test::with_pool(3, [](coterie::pool& pool) -> asio::awaitable<void> {
    std::vector<std::string> words;
    for (std::size_t length = 0; length < 300; ++length) words.emplace_back(length * 7, 'a');
    const auto turned = co_await pool.map(
        [](std::string word) {
          std::ranges::fill(word, 'b');
          return word;
        },
        words);
    REQUIRE(turned.size() == words.size());
    for (std::size_t index = 0; index < words.size(); ++index) {
      REQUIRE(turned[index] == std::string(words[index].size(), 'b'));
    }
  });
}

TEST_CASE("given a function that returns nothing, when mapped, then every item has run") {
  const test::directory directory;
  const std::string marks = directory.file("marks");
  test::with_pool(2, [&](coterie::pool& pool) -> asio::awaitable<void> {
    const std::vector<std::string> files(50, marks);
    static_assert(
        std::is_same_v<decltype(pool.map(test::leave_mark, files)), asio::awaitable<void>>);
    co_await pool.map(test::leave_mark, files);
    CHECK(test::marks_in(marks) == 50);
  });
}

TEST_CASE("given items that finish out of order, when mapped, then the results are in order") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    test::signal last{pool.get_executor()};
    auto operation = pool.map_async(coterie::bind(in_odd_order, last.path()),
                                    std::views::iota(0, 20), {.chunksize = 1});
    // The one that waits is the only one left.
    while (operation.remaining() > 1) co_await asio::post(asio::use_awaitable);
    last.give();
    const auto numbers = co_await operation.get();
    CHECK(std::ranges::equal(numbers, std::views::iota(0, 20)));
  });
}

TEST_CASE("given one item that fails, when mapped, then the call fails with its exception") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto problem =
        co_await test::failure_of(pool.map(fail_at_seven, std::views::iota(0, 100)));
    CHECK(std::string{test::as<std::domain_error>(problem).what()} == "seven");
    const auto* const origin = coterie::get_remote_info(problem);
    REQUIRE(origin != nullptr);
    CHECK(origin->item() == 7);
    const auto fine = co_await pool.map(fail_at_seven, std::views::iota(8, 10));
    CHECK(fine == std::vector<int>{8, 9});
  });
}

TEST_CASE("given an item that fails, when mapped, then what has not begun never runs") {
  const test::directory directory;
  const std::string marks = directory.file("marks");
  test::with_pool(1, [&](coterie::pool& pool) -> asio::awaitable<void> {
    const auto task = coterie::bind(
        [](const std::string& file, int number) {
          if (number == 0) throw std::runtime_error{"first"};
          test::leave_mark(file);
        },
        marks);
    const auto problem =
        co_await test::failure_of(pool.map(task, std::views::iota(0, 1000), {.chunksize = 1}));
    CHECK(std::string{test::as<std::runtime_error>(problem).what()} == "first");
    co_await pool.apply([] {});
    // A few may have been sent along with the one that failed.
    CHECK(test::marks_in(marks) < 100);
  });
}

TEST_CASE("given two maps at a time, when both run, then neither sees the other's items") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto numbers = numbers_to(500);
    auto squares = pool.map_async(square, numbers);
    auto lengths = pool.map_async([](const std::string& word) { return word.size(); },
                                  std::vector<std::string>(500, "four"));
    const auto all_lengths = co_await lengths.get();
    const auto all_squares = co_await squares.get();
    CHECK(all_lengths == std::vector<std::size_t>(500, 4));
    REQUIRE(all_squares.size() == 500);
    CHECK(all_squares[499] == 499 * 499);
  });
}

TEST_CASE("given several workers, when slow items are mapped, then all of them take part") {
  test::with_pool(3, [](coterie::pool& pool) -> asio::awaitable<void> {
    test::signal begun{pool.get_executor()};
    test::signal go_on{pool.get_executor()};
    const auto meet = coterie::bind(
        [](const std::string& here, const std::string& next, int) {
          test::give_signal(here);
          test::await_signal(next);
          return coterie::this_worker::rank();
        },
        begun.path(), go_on.path());
    auto operation = pool.map_async(meet, std::views::iota(0, 3), {.chunksize = 1});
    co_await begun.arrived(3);
    go_on.give(3);
    const auto ranks = co_await operation.get();
    CHECK(std::set<int>(ranks.begin(), ranks.end()) == std::set<int>{0, 1, 2});
  });
}

TEST_CASE("given a closed pool, when mapped, then the call fails with pool_closed") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    auto before = pool.map_async(is_even, std::views::iota(0, 3));
    pool.close();
    const auto problem = co_await test::failure_of(pool.map(is_even, std::views::iota(0, 3)));
    CHECK(test::as<coterie::pool_closed>(problem).code() == coterie::errc::pool_closed);
    const auto accepted = co_await before.get();
    CHECK(accepted.size() == 3);
    co_await pool.join();
  });
}

TEST_CASE("given large items, when mapped in automatic chunks, then all arrive") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    const std::vector<std::vector<std::int64_t>> blocks(20, std::vector<std::int64_t>(100'000, 1));
    const auto sums = co_await pool.map(
        [](const std::vector<std::int64_t>& block) {
          return std::accumulate(block.begin(), block.end(), std::int64_t{0});
        },
        blocks);
    CHECK(sums == std::vector<std::int64_t>(20, 100'000));
  });
}
