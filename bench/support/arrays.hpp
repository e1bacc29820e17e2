// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace bench {

inline std::size_t numbers_in(std::int64_t mebibytes) {
  return (static_cast<std::size_t>(mebibytes) << 20U) / sizeof(std::int64_t);
}

/// An array that differs from one seed to the next in every number.
inline std::vector<std::int64_t> make_array(std::int64_t seed, std::int64_t mebibytes) {
  std::vector<std::int64_t> numbers(numbers_in(mebibytes));
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = static_cast<std::int64_t>(i) * 31 + seed;
  }
  return numbers;
}

/// The sum of one number a page: so little work that what is measured is how the array came here.
inline std::int64_t sum_of_pages(std::span<const std::int64_t> numbers) {
  constexpr std::size_t page = 4096 / sizeof(std::int64_t);
  std::int64_t sum = static_cast<std::int64_t>(numbers.size());
  for (std::size_t i = 0; i < numbers.size(); i += page) sum += numbers[i];
  return sum;
}

/// The sum of all.
inline std::int64_t sum_of_all(std::span<const std::int64_t> numbers) {
  std::int64_t sum = 0;
  for (const std::int64_t number : numbers) sum += number;
  return sum;
}

}  // namespace bench
