// SPDX-License-Identifier: BSL-1.0
// expect: coterie: the items of starmap and istarmap are tuples
// most lines: 60
#include <vector>

#include <coterie/coterie.hpp>

int square(int number) { return number * number; }

auto squares(coterie::pool& pool, const std::vector<int>& numbers) {
  return pool.starmap(square, numbers);
}
