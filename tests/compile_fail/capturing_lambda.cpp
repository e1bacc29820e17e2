// SPDX-License-Identifier: BSL-1.0
// expect: coterie: a lambda with captures cannot travel
// expect: coterie::bind
#include <vector>

#include <coterie/coterie.hpp>

auto scaled(coterie::pool& pool, const std::vector<int>& numbers, int factor) {
  return pool.map([factor](int number) { return factor * number; }, numbers);
}
