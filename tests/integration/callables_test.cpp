// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <functional>
#include <map>
#include <numeric>
#include <optional>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#include "support/run.hpp"

namespace asio = boost::asio;

namespace {

int square(int number) { return number * number; }
int careful_square(int number) noexcept { return number * number; }

template <class T>
T twice(T value) {
  return value + value;
}

struct calculator {
  static int triple(int number) { return 3 * number; }
};

// An aggregate with a call operator travels by its fields.
struct polynomial {
  std::vector<int> coefficients;

  int operator()(int x) const {
    int sum = 0;
    for (const int each : coefficients | std::views::reverse) sum = sum * x + each;
    return sum;
  }
};

// Nothing in it, and several ways to be called.
struct describe {
  std::string operator()(int) const { return "int"; }
  std::string operator()(const std::string&) const { return "string"; }
};

// Private fields travel by a function of its own.
class scaler {
 public:
  scaler() = default;
  explicit scaler(int factor) : factor_{factor} {}
  int operator()(int number) const { return factor_ * number; }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(factor_);
  }

 private:
  int factor_ = 1;
};

// Keeps state between the items that a worker runs.
struct counter {
  int calls = 0;
  int operator()(int) { return ++calls; }
};

std::size_t count_in(std::string_view text, char letter) {
  return static_cast<std::size_t>(std::ranges::count(text, letter));
}

std::int64_t sum_of(std::span<const std::int64_t> numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), std::int64_t{0});
}

std::string join(const std::string& separator, const std::string& left, const std::string& right) {
  return left + separator + right;
}

// (A braced list inside a co_await expression is beyond g++ 12.)
template <class... T>
auto list(T... values) {
  return std::vector<std::common_type_t<T...>>{values...};
}

template <class T>
asio::awaitable<void> gives(asio::awaitable<std::vector<T>> call, std::vector<T> expected) {
  const auto values = co_await std::move(call);
  CHECK(values == expected);
}

const std::vector<int> one_to_three{1, 2, 3};
const std::vector<int> squares{1, 4, 9};

}  // namespace

TEST_CASE("given a plain function in each of its forms, when mapped, then it is called") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    co_await gives(pool.map(square, one_to_three), squares);
    co_await gives(pool.map(&square, one_to_three), squares);
    co_await gives(pool.map(careful_square, one_to_three), squares);
    int (*pointer)(int) = square;
    co_await gives(pool.map(pointer, one_to_three), squares);
    int (*const constant)(int) noexcept = careful_square;
    co_await gives(pool.map(constant, one_to_three), squares);
    co_await gives(pool.map(twice<int>, one_to_three), list(2, 4, 6));
    co_await gives(pool.map(calculator::triple, one_to_three), list(3, 6, 9));
  });
}

TEST_CASE("given a lambda without captures, when mapped, then it is called") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    co_await gives(pool.map([](int number) { return number * number; }, one_to_three), squares);
    co_await gives(pool.map([](auto number) { return number * number; }, one_to_three), squares);
    co_await gives(pool.map([](const auto&... all) { return (all * ...); }, one_to_three),
                   one_to_three);
    constexpr int offset = 10;
    co_await gives(pool.map([](int number) { return number + offset; }, one_to_three),
                   list(11, 12, 13));
    co_await gives(pool.map(+[](int number) { return number * number; }, one_to_three), squares);
    co_await gives(
        pool.map([](int number) mutable noexcept { return number *= number; }, one_to_three),
        squares);
  });
}

TEST_CASE("given function objects, when mapped, then they travel with their state") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const polynomial line{.coefficients = {1, 2}};
    co_await gives(pool.map(line, one_to_three), list(3, 5, 7));
    co_await gives(pool.map(scaler{5}, one_to_three), list(5, 10, 15));
    co_await gives(pool.map(std::negate<>{}, one_to_three), list(-1, -2, -3));
    const std::string of_int = co_await pool.apply(describe{}, 1);
    CHECK(of_int == "int");
    const std::string of_text = co_await pool.apply(describe{}, "text");
    CHECK(of_text == "string");
    const std::vector<std::pair<int, int>> pairs{{1, 2}, {3, 4}};
    co_await gives(pool.starmap(std::plus<int>{}, pairs), list(3, 7));
  });
}

TEST_CASE("given a function object that changes, when mapped, then each call begins with its own") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const counter ten{.calls = 10};
    co_await gives(pool.map(ten, one_to_three), list(11, 12, 13));
    co_await gives(pool.map(ten, one_to_three), list(11, 12, 13));
    CHECK(ten.calls == 10);
  });
}

TEST_CASE("given bound arguments, when called, then they come first") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto power = [](int exponent, int base) {
      int value = 1;
      for (; exponent > 0; --exponent) value *= base;
      return value;
    };
    co_await gives(pool.map(coterie::bind(power, 2), one_to_three), squares);
    const std::string comma = co_await pool.apply(coterie::bind(join, ", "), "a", "b");
    CHECK(comma == "a, b");
    const std::string all_bound = co_await pool.apply(coterie::bind(join, "-", "x", "y"));
    CHECK(all_bound == "x-y");
    const auto nothing_bound = coterie::bind(square);
    co_await gives(pool.map(nothing_bound, one_to_three), squares);
    const polynomial identity{.coefficients = {0, 1}};
    const auto of_object = coterie::bind(identity);
    co_await gives(pool.map(of_object, one_to_three), one_to_three);
  });
}

TEST_CASE("given bind of bind, when called, then the arguments come in the order they were bound") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto inner = coterie::bind(join, "+");
    const auto outer = coterie::bind(inner, "left");
    const std::string text = co_await pool.apply(outer, "right");
    CHECK(text == "left+right");
    const auto apply_twice = [](const auto& function, int number) {
      return function(function(number));
    };
    const auto fourth = coterie::bind(apply_twice, coterie::bind(std::multiplies<int>{}, 3));
    CHECK(fourth(2) == 18);
  });
}

TEST_CASE("given containers as bound arguments, when called, then they travel whole") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    const std::map<std::string, int> prices{{"apple", 3}, {"pear", 4}};
    const auto price = [](const std::map<std::string, int>& list, const std::string& what) {
      return list.at(what);
    };
    const std::vector<std::string> wanted{"pear", "apple", "pear"};
    co_await gives(pool.map(coterie::bind(price, prices), wanted), list(4, 3, 4));
    const std::vector<std::string> unknown{"nut"};
    const auto problem = co_await test::failure_of(pool.map(coterie::bind(price, prices), unknown));
    CHECK_THROWS_AS(std::rethrow_exception(problem), std::out_of_range);
  });
}

TEST_CASE("given parameters that are views, when called, then they look into the message") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const std::size_t letters = co_await pool.apply(count_in, std::string{"banana"}, 'a');
    CHECK(letters == 3);
    std::vector<std::int64_t> numbers(1000);
    std::iota(numbers.begin(), numbers.end(), 0);
    const std::int64_t sum = co_await pool.apply(sum_of, numbers);
    CHECK(sum == 499'500);
    const std::vector<std::vector<std::int64_t>> rows(5, numbers);
    co_await gives(pool.map(sum_of, rows), std::vector<std::int64_t>(5, 499'500));
    const std::span<const std::int64_t> part{numbers.data(), 4};
    const std::int64_t of_part = co_await pool.apply(sum_of, part);
    CHECK(of_part == 6);
    const auto aligned = co_await pool.map(
        [](std::span<const std::int64_t> row) {
          return reinterpret_cast<std::uintptr_t>(row.data()) % alignof(std::int64_t) == 0;
        },
        rows);
    CHECK(aligned == std::vector<bool>(5, true));
  });
}

TEST_CASE("given a result that is a view, when returned, then what it shows comes back") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto first_word = [](std::string_view text) { return text.substr(0, text.find(' ')); };
    const std::string word = co_await pool.apply(first_word, "hello world");
    CHECK(word == "hello");
    const auto front = [](std::span<const int> all) { return all.first(2); };
    const std::vector<int> two = co_await pool.apply(front, one_to_three);
    CHECK(two == std::vector<int>{1, 2});
  });
}

TEST_CASE("given a function in a shared library, when called, then the worker finds it there") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const int letter = co_await pool.apply(::toupper, 'a');
    CHECK(letter == 'A');
    const std::string_view word{"shout"};
    const auto letters = co_await pool.map(::toupper, word);
    CHECK(std::string(letters.begin(), letters.end()) == "SHOUT");
    double (*root)(double) = std::sqrt;
    const double three = co_await pool.apply(root, 9.0);
    CHECK(three == 3);
    const int positive =
        co_await pool.apply(coterie::bind(static_cast<int (*)(int)>(std::abs), -4));
    CHECK(positive == 4);
  });
}

TEST_CASE("given a null function pointer, when called, then the call fails and no worker crashes") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    int (*nothing)(int) = nullptr;
    const auto problem = co_await test::failure_of(pool.map(nothing, one_to_three));
    CHECK(test::as<coterie::error>(problem).code() == coterie::errc::unknown_function);
    const auto single = co_await test::failure_of(pool.apply(nothing, 1));
    CHECK(test::as<coterie::error>(single).code() == coterie::errc::unknown_function);
    const auto bound = co_await test::failure_of(pool.apply(coterie::bind(nothing), 1));
    CHECK(test::as<coterie::error>(bound).code() == coterie::errc::unknown_function);
    const auto pending = pool.apply_async(nothing, 1);
    const auto later = co_await test::failure_of(pending.get());
    CHECK(test::as<coterie::error>(later).code() == coterie::errc::unknown_function);
    auto stream = pool.imap(nothing, one_to_three);
    const auto streamed = co_await test::failure_of(stream.next());
    CHECK(test::as<coterie::error>(streamed).code() == coterie::errc::unknown_function);
    co_await gives(pool.map(square, one_to_three), squares);
    CHECK(pool.stats().workers_crashed == 0);
  });
}

TEST_CASE("given an address that is no function, when called, then the call fails") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    static int data = 0;
    // NOLINTNEXTLINE(*-reinterpret-cast): that is the point
    auto* const wrong = reinterpret_cast<int (*)(int)>(&data);
    const auto problem = co_await test::failure_of(pool.apply(wrong, 1));
    CHECK(problem != nullptr);
    co_await gives(pool.map(square, one_to_three), squares);
    CHECK(pool.stats().workers_crashed == 0);
  });
}

TEST_CASE("given parameters of every kind of passing, when called, then items fit them") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const std::vector<std::string> words{"a", "bb"};
    const std::vector<std::size_t> lengths{1, 2};
    co_await gives(pool.map([](std::string word) { return word.size(); }, words), lengths);
    co_await gives(pool.map([](const std::string& word) { return word.size(); }, words), lengths);
    co_await gives(pool.map([](std::string&& word) { return word.size(); }, words), lengths);
    co_await gives(pool.map([](std::string_view word) { return word.size(); }, words), lengths);
    co_await gives(pool.map([](std::optional<std::string> word) { return word->size(); }, words),
                   lengths);
  });
}
