// SPDX-License-Identifier: BSL-1.0

// Shows how functions of several arguments are called: `starmap` spreads each item, a tuple, over
// the parameters; `bind` keeps the first argument the same for all items.

#include <algorithm>
#include <cstdint>
#include <ranges>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/ranges.h>

#include <coterie/coterie.hpp>

#include "example.hpp"

namespace asio = boost::asio;

namespace {

std::int64_t power(std::int64_t base, int exponent) {
  std::int64_t result = 1;
  for (int i = 0; i < exponent; ++i) result *= base;
  return result;
}

/// The remainder of `base` to the power of `exponent`, for a `modulus` below 2^32.
std::uint64_t modular_power(std::uint64_t modulus, std::uint64_t base, std::uint64_t exponent) {
  std::uint64_t result = 1;
  for (base %= modulus; exponent > 0; exponent /= 2) {
    if (exponent % 2 == 1) result = result * base % modulus;
    base = base * base % modulus;
  }
  return result;
}

asio::awaitable<void> pairs(coterie::pool& pool) {
  using pair = std::pair<std::int64_t, int>;
  const std::vector<pair> items{{2, 10}, {3, 7}, {5, 5}, {7, 3}, {10, 18}, {-2, 63}};
  const auto powers = co_await pool.starmap(power, items);

  fmt::print("Powers, one pair of arguments each:\n");
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto& [base, exponent] = items[i];
    fmt::print("  {:>2} ^ {:<2} = {:>20}\n", base, exponent, powers[i]);
    example::check(powers[i] == power(base, exponent), "the serial run has another power");
  }
  example::check(powers[0] == 1024 && powers[5] == INT64_MIN, "powers of two");
}

asio::awaitable<void> bound_modulus(coterie::pool& pool, int size) {
  // Fermat: a prime p divides a^(p-1) - 1, unless it divides a. So all the answers are known.
  constexpr std::uint64_t prime = 4'294'967'291;
  const auto items = std::views::iota(1, size + 1) | std::views::transform([](int base) {
                       return std::tuple{static_cast<std::uint64_t>(base), prime - 1};
                     });
  const example::stopwatch watch;
  const auto remainders = co_await pool.starmap(coterie::bind(modular_power, prime), items);
  const double seconds = watch.seconds();

  const auto ones = std::ranges::count(remainders, std::uint64_t{1});
  fmt::print(
      "\nFermat's theorem: divided by the prime p = {}, each a^(p-1) leaves the remainder 1.\n"
      "Tried for a = 1 to {}: {} of {} do. {:.0f} calls a second.\n",
      prime, size, ones, size, size / seconds);
  example::check(ones == size, "Fermat was right");
}

asio::awaitable<int> program(int argc, char** argv) {
  int processes = 0;
  int size = 100'000;
  CLI::App app{"Calls functions of several arguments, with starmap and bind."};
  example::add_processes(app, processes);
  app.add_option("--size", size, "How many powers Fermat's theorem is tried on")
      ->check(CLI::Range(1, 100'000'000))
      ->capture_default_str();
  if (const auto code = example::parse(app, argc, argv)) co_return *code;

  coterie::pool pool{co_await asio::this_coro::executor, {.processes = processes}};
  co_await pairs(pool);
  co_await bound_modulus(pool, size);

  // One call needs no tuple.
  const auto single = co_await pool.apply(power, 2, 62);
  fmt::print("\nBy apply: 2 ^ 62 = {}\n", single);
  example::check(single == std::int64_t{1} << 62, "2 ^ 62");
  co_return 0;
}

}  // namespace

int main(int argc, char** argv) { return coterie::run(argc, argv, program); }
