// SPDX-License-Identifier: BSL-1.0
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <ranges>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#include "support/processes.hpp"
#include "support/run.hpp"

namespace asio = boost::asio;

namespace {

constexpr int items = 10'000;

std::int64_t square(std::int64_t number) { return number * number; }

std::string spell(std::int64_t number) { return std::to_string(number); }

std::int64_t subtract(std::int64_t from, std::int64_t what) { return from - what; }

std::int64_t refuse_thirteenth(std::int64_t number) {
  if (number % 13 == 0) throw std::domain_error{std::to_string(number)};
  return number;
}

std::int64_t refuse_equal(std::int64_t one, std::int64_t other) {
  if (one == other) throw std::domain_error{std::to_string(one)};
  return one - other;
}

// What all the methods are given, and what they must give back.
struct work {
  std::vector<std::int64_t> numbers = std::vector<std::int64_t>(items);
  std::vector<std::pair<std::int64_t, std::int64_t>> pairs;
  std::vector<std::int64_t> squares;
  std::vector<std::string> words;
  std::vector<std::int64_t> differences;

  work() {
    std::iota(numbers.begin(), numbers.end(), 0);
    for (const auto number : numbers) {
      pairs.emplace_back(3 * number, number % 7 == 0 ? 3 * number : number);
      squares.push_back(square(number));
      words.push_back(spell(number));
      differences.push_back(subtract(pairs.back().first, pairs.back().second));
    }
  }
};

asio::awaitable<void> all_at_once(coterie::pool& pool, const work& given) {
  const auto squares = co_await pool.map(square, given.numbers);
  CHECK(squares == given.squares);
  const auto words = co_await pool.map(spell, std::views::iota(0, items), {.chunksize = 37});
  CHECK(words == given.words);
  const auto differences = co_await pool.starmap(subtract, given.pairs);
  CHECK(differences == given.differences);

  const auto settled = co_await pool.map_settled(refuse_thirteenth, given.numbers);
  REQUIRE(settled.size() == static_cast<std::size_t>(items));
  std::size_t wrong = 0;
  for (std::size_t index = 0; index < settled.size(); ++index) {
    const bool fails = index % 13 == 0;
    const auto& outcome = settled[index];
    wrong += outcome.has_error() != fails || (!fails && *outcome != given.numbers[index]) ? 1 : 0;
  }
  CHECK(wrong == 0);
  const auto star_settled = co_await pool.starmap_settled(refuse_equal, given.pairs);
  REQUIRE(star_settled.size() == static_cast<std::size_t>(items));
  for (std::size_t index = 0; index < star_settled.size(); ++index) {
    const bool fails = given.differences[index] == 0;
    const auto& outcome = star_settled[index];
    wrong +=
        outcome.has_error() != fails || (!fails && *outcome != given.differences[index]) ? 1 : 0;
  }
  CHECK(wrong == 0);
}

asio::awaitable<void> one_after_the_other(coterie::pool& pool, const work& given) {
  auto ordered = pool.imap(square, given.numbers);
  const auto squares = co_await test::drain(ordered);
  CHECK(squares == given.squares);

  auto unordered = pool.imap_unordered(square, given.numbers);
  auto in_any_order = co_await test::drain(unordered);
  std::ranges::sort(in_any_order);
  CHECK(in_any_order == given.squares);

  auto spread = pool.istarmap(subtract, given.pairs, {.chunksize = 16, .window = 500});
  const auto differences = co_await test::drain(spread);
  CHECK(differences == given.differences);

  auto spread_unordered = pool.istarmap_unordered(subtract, given.pairs, {.chunksize = 3});
  auto unordered_differences = co_await test::drain(spread_unordered);
  std::ranges::sort(unordered_differences);
  auto sorted_differences = given.differences;
  std::ranges::sort(sorted_differences);
  CHECK(unordered_differences == sorted_differences);
}

asio::awaitable<void> eagerly(coterie::pool& pool, const work& given) {
  int callbacks = 0;
  const auto mapped = pool.map_async(square, given.numbers);
  mapped.callback([&](const std::vector<std::int64_t>&) { ++callbacks; });
  const auto starmapped = pool.starmap_async(subtract, given.pairs);
  starmapped.callback([&](const std::vector<std::int64_t>&) { ++callbacks; });
  const auto differences = co_await starmapped.get(test::deadline);
  CHECK(differences == given.differences);
  const auto squares = co_await mapped.get();
  CHECK(squares == given.squares);
  while (callbacks < 2) co_await asio::post(asio::use_awaitable);
}

// Each item is a call of its own: all of them at once, then a part of them one by one.
asio::awaitable<void> call_by_call(coterie::pool& pool, const work& given) {
  std::vector<coterie::async_result<std::int64_t>> pending;
  pending.reserve(given.numbers.size());
  for (const auto number : given.numbers) pending.push_back(pool.apply_async(square, number));
  std::size_t wrong = 0;
  for (std::size_t index = 0; index < pending.size(); ++index) {
    const auto value = co_await pending[index].get();
    wrong += value != given.squares[index] ? 1 : 0;
  }
  for (std::size_t index = 0; index < given.numbers.size(); ++index) {
    const auto value = co_await pool.apply(square, given.numbers[index]);
    wrong += value != given.squares[index] ? 1 : 0;
  }
  CHECK(wrong == 0);
}

void all_methods(int processes) {
  const auto before = test::held_at_rest();
  REQUIRE(before.processes.empty());
  {
    const work given;
    test::run([&]() -> asio::awaitable<void> {
      const asio::any_io_executor executor = co_await asio::this_coro::executor;
      {
        coterie::pool pool{executor, {.processes = processes}};
        co_await all_at_once(pool, given);
        co_await one_after_the_other(pool, given);
        co_await eagerly(pool, given);
        co_await call_by_call(pool, given);
        CHECK(pool.size() == processes);
        CHECK(pool.stats().workers_started == static_cast<std::uint64_t>(processes));
        CHECK(pool.stats().workers_crashed == 0);
        CHECK(pool.stats().starts_failed == 0);
        CHECK(pool.stats().jobs_pending == 0);
        pool.close();
        co_await pool.join();
      }
      // No process is left when the pool is gone, and not only when the event loop is.
      CHECK(test::children().empty());
    });
  }
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
  CHECK(errno == ECHILD);
  CHECK(test::held_now() == before);
}

}  // namespace

TEST_CASE(
    "given 1 worker, when 10,000 items go through every method, then all is right, none left") {
  all_methods(1);
}

TEST_CASE(
    "given 2 workers, when 10,000 items go through every method, then all is right, none left") {
  all_methods(2);
}

TEST_CASE(
    "given 8 workers, when 10,000 items go through every method, then all is right, none left") {
  all_methods(8);
}

TEST_CASE(
    "given 64 workers, when 10,000 items go through every method, then all is right, none left") {
  all_methods(64);
}

TEST_CASE("given pools that end in every way, when they are gone, then nothing is left of them") {
  const auto before = test::held_at_rest();
  for (const bool destroy_only : {true, false}) {
    for (const bool busy : {true, false}) {
      test::run([&]() -> asio::awaitable<void> {
        const asio::any_io_executor executor = co_await asio::this_coro::executor;
        coterie::pool pool{executor, {.processes = 4}};
        const auto one = co_await pool.apply(square, 1);
        CHECK(one == 1);
        auto numbers = pool.imap(square, std::views::iota(0));
        const auto pending = pool.map_async(square, std::vector<std::int64_t>(1000, 2));
        if (!busy) co_await pending.wait();
        if (!destroy_only) pool.terminate();
      });
      CHECK(test::held_now() == before);
    }
  }
}
