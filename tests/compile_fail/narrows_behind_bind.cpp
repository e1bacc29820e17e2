// SPDX-License-Identifier: BSL-1.0
// expect: coterie: an argument loses its value
// most lines: 60
#include <cstdint>
#include <vector>

#include <coterie/coterie.hpp>

int add(int one, int other) { return one + other; }

auto sums(coterie::pool& pool, const std::vector<std::int64_t>& numbers) {
  return pool.map(coterie::bind(add, 1), numbers);
}
