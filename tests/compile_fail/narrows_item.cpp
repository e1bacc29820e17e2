// SPDX-License-Identifier: BSL-1.0
// expect: coterie: an argument loses its value
// most lines: 60
#include <cstdint>
#include <vector>

#include <coterie/coterie.hpp>

int twice(int number) { return 2 * number; }

auto doubled(coterie::pool& pool, const std::vector<std::int64_t>& numbers) {
  return pool.map(twice, numbers);
}
