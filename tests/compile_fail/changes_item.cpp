// SPDX-License-Identifier: BSL-1.0
// expect: coterie: the function takes a reference that is not const
// most lines: 60
#include <vector>

#include <coterie/coterie.hpp>

auto increased(coterie::pool& pool, std::vector<int>& numbers) {
  return pool.map([](int& number) { ++number; }, numbers);
}
