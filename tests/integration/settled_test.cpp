// SPDX-License-Identifier: BSL-1.0
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <tuple>
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

int refuse_odd(int number) {
  if (number % 2 != 0) throw std::invalid_argument{"odd: " + std::to_string(number)};
  return number * 10;
}

void accept_even(int number) { refuse_odd(number); }

}  // namespace

TEST_CASE("given items of which some fail, when map_settled, then each has its own outcome") {
  test::with_pool(3, [](coterie::pool& pool) -> asio::awaitable<void> {
    for (const std::size_t chunksize : {0, 1, 7, 200}) {
      const auto outcomes =
          co_await pool.map_settled(refuse_odd, std::views::iota(0, 100), {.chunksize = chunksize});
      REQUIRE(outcomes.size() == 100);
      for (int number = 0; number < 100; ++number) {
        const auto& outcome = outcomes[static_cast<std::size_t>(number)];
        if (number % 2 == 0) {
          REQUIRE(outcome.has_value());
          REQUIRE(*outcome == number * 10);
        } else {
          REQUIRE(outcome.has_error());
          const auto problem = test::as<std::invalid_argument>(outcome.error());
          REQUIRE(problem.what() == "odd: " + std::to_string(number));
          const auto* const origin = coterie::get_remote_info(outcome.error());
          REQUIRE(origin != nullptr);
          REQUIRE(origin->item() == static_cast<std::size_t>(number));
        }
      }
    }
  });
}

TEST_CASE("given a function that returns nothing, when map_settled, then outcomes are void") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto outcomes = co_await pool.map_settled(accept_even, std::views::iota(0, 4));
    using outcome = boost::system::result<void, std::exception_ptr>;
    static_assert(std::is_same_v<decltype(outcomes), const std::vector<outcome>>);
    REQUIRE(outcomes.size() == 4);
    CHECK(outcomes[0].has_value());
    CHECK(outcomes[1].has_error());
    CHECK(outcomes[2].has_value());
    CHECK(outcomes[3].has_error());
  });
}

TEST_CASE("given no items, when map_settled, then there are no outcomes") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto outcomes = co_await pool.map_settled(refuse_odd, std::vector<int>{});
    CHECK(outcomes.empty());
  });
}

TEST_CASE("given a worker that dies, when map_settled, then only the item it was at is lost") {
  const test::directory directory;
  const std::string marks = directory.file("marks");
  test::with_pool(2, [&](coterie::pool& pool) -> asio::awaitable<void> {
    const auto die_at_five = coterie::bind(
        [](const std::string& file, int number) {
          if (number == 5) {
            test::leave_mark(file);
            std::_Exit(3);
          }
          return number;
        },
        marks);
    const auto outcomes =
        co_await pool.map_settled(die_at_five, std::views::iota(0, 40), {.chunksize = 1});
    REQUIRE(outcomes.size() == 40);
    for (std::size_t place = 0; place < 40; ++place) {
      INFO(place);
      REQUIRE(outcomes[place].has_value() == (place != 5));
      if (place != 5) CHECK(*outcomes[place] == static_cast<int>(place));
    }
    const auto problem = test::as<coterie::worker_crashed>(outcomes[5].error());
    CHECK(problem.exit_code() == 3);
    CHECK(problem.signal() == std::nullopt);
    CHECK(problem.item() == 5);
    CHECK(problem.rank() >= 0);
    CHECK(problem.rank() < 2);
    // It is not tried again.
    CHECK(test::marks_in(marks) == 1);
    CHECK(pool.stats().workers_crashed == 1);
  });
}

TEST_CASE("given tuples, when starmap_settled, then each has its own outcome") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    const std::vector<std::tuple<int, int>> pairs{{8, 2}, {1, 0}, {9, 3}};
    const auto divide = [](int dividend, int divisor) {
      if (divisor == 0) throw std::domain_error{"by zero"};
      return dividend / divisor;
    };
    const auto outcomes = co_await pool.starmap_settled(divide, pairs);
    REQUIRE(outcomes.size() == 3);
    CHECK(*outcomes[0] == 4);
    CHECK(test::as<std::domain_error>(outcomes[1].error()).what() == std::string{"by zero"});
    CHECK(*outcomes[2] == 3);
  });
}

TEST_CASE("given input that fails midway, when map_settled, then the whole call fails with it") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    auto items = std::views::iota(0, 100) | std::views::transform([](int number) {
                   if (number == 50) throw std::length_error{"input"};
                   return number;
                 });
    const auto problem = co_await test::failure_of(pool.map_settled(refuse_odd, items));
    CHECK(test::as<std::length_error>(problem).what() == std::string{"input"});
    const int fine = co_await pool.apply(refuse_odd, 2);
    CHECK(fine == 20);
  });
}

TEST_CASE("given every item fails, when map_settled, then every outcome is a failure") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto outcomes = co_await pool.map_settled(
        [](int) -> std::string { throw std::runtime_error{"no"}; }, std::views::iota(0, 300));
    REQUIRE(outcomes.size() == 300);
    for (const auto& outcome : outcomes) REQUIRE(outcome.has_error());
  });
}
