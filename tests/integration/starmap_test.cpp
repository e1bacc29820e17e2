// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <cstddef>
#include <memory>
#include <ranges>
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

int subtract(int from, int what) { return from - what; }

std::string repeat(std::string_view word, int times) {
  std::string all;
  for (; times > 0; --times) all += word;
  return all;
}

int value_of(std::unique_ptr<int> number, int more) { return *number + more; }

}  // namespace

TEST_CASE("given tuples, when starmapped, then each is spread over the parameters") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    std::vector<std::tuple<int, int>> pairs;
    std::vector<int> expected;
    for (int number = 0; number < 200; ++number) {
      pairs.emplace_back(number * 3, number);
      expected.push_back(number * 2);
    }
    const auto differences = co_await pool.starmap(subtract, pairs);
    CHECK(differences == expected);
  });
}

TEST_CASE("given pairs, when starmapped, then each is spread over the parameters") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    const std::vector<std::pair<std::string, int>> pairs{{"a", 1}, {"b", 2}, {"", 3}, {"d", 0}};
    const auto words = co_await pool.starmap(repeat, pairs);
    CHECK(words == std::vector<std::string>{"a", "bb", "", ""});
  });
}

TEST_CASE("given arrays, when starmapped, then each is spread over the parameters") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    const std::vector<std::array<int, 2>> pairs{{9, 4}, {1, 1}};
    const auto differences = co_await pool.starmap(subtract, pairs);
    CHECK(differences == std::vector<int>{5, 0});
  });
}

TEST_CASE(
    "given tuples that are computed, when starmapped, then they are read as they are needed") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    auto pairs = std::views::iota(0, 50) | std::views::transform([](int number) {
                   return std::tuple{std::string(static_cast<std::size_t>(number), 'n'), 2};
                 });
    const auto words = co_await pool.starmap(repeat, pairs);
    REQUIRE(words.size() == 50);
    CHECK(words[49].size() == 98);
  });
}

TEST_CASE("given tuples of move-only values, when starmapped, then they travel") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    std::vector<std::tuple<std::unique_ptr<int>, int>> items;
    items.emplace_back(std::make_unique<int>(40), 2);
    items.emplace_back(std::make_unique<int>(1), 1);
    const auto sums = co_await pool.starmap(value_of, std::move(items));
    CHECK(sums == std::vector<int>{42, 2});
  });
}

TEST_CASE("given a task that fails, when starmapped, then its exception names the item") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    const std::vector<std::pair<int, int>> pairs{{1, 1}, {1, 0}, {4, 2}};
    const auto divide = [](int dividend, int divisor) {
      if (divisor == 0) throw std::invalid_argument{"division by zero"};
      return dividend / divisor;
    };
    const auto problem = co_await test::failure_of(pool.starmap(divide, pairs));
    CHECK(std::string{test::as<std::invalid_argument>(problem).what()} == "division by zero");
    const auto* const origin = coterie::get_remote_info(problem);
    REQUIRE(origin != nullptr);
    CHECK(origin->item() == 1);
  });
}

TEST_CASE("given bound arguments, when starmapped, then they come before the spread ones") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto join = [](const std::string& between, const std::string& left,
                         const std::string& right) { return left + between + right; };
    const std::vector<std::pair<std::string, std::string>> pairs{{"a", "b"}, {"c", "d"}};
    const auto words = co_await pool.starmap(coterie::bind(join, "-"), pairs);
    CHECK(words == std::vector<std::string>{"a-b", "c-d"});
  });
}

TEST_CASE("given starmap_async, when it is got, then the values are in the input's order") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    auto pending = pool.starmap_async(subtract, std::vector<std::pair<int, int>>{{5, 1}, {5, 2}});
    CHECK(pending.total() == 2);
    const auto values = co_await pending.get();
    CHECK(values == std::vector<int>{4, 3});
  });
}

TEST_CASE("given tuples without elements, when starmapped, then the function takes nothing") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const std::vector<std::tuple<>> items(3);
    const auto values = co_await pool.starmap([] { return 1; }, items);
    CHECK(values == std::vector<int>{1, 1, 1});
  });
}
