// SPDX-License-Identifier: BSL-1.0

// The first program of the README, which holds this text.

#include <cstdint>
#include <iostream>
#include <vector>

#include <coterie/coterie.hpp>

namespace asio = boost::asio;

bool is_prime(std::int64_t number) {
  if (number < 2) return false;
  for (std::int64_t divisor = 2; divisor <= number / divisor; ++divisor) {
    if (number % divisor == 0) return false;
  }
  return true;
}

asio::awaitable<void> program() {
  coterie::pool pool{co_await asio::this_coro::executor};  // as many workers as there are CPUs

  const std::vector<std::int64_t> numbers{112272535095295, 100109100129100369, 100109100129100151};
  const auto flags = co_await pool.map(is_prime, numbers);  // in worker processes, in order
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    std::cout << numbers[i] << (flags[i] ? " is prime\n" : " is not prime\n");
  }
}

int main(int argc, char** argv) { return coterie::run(argc, argv, program); }
