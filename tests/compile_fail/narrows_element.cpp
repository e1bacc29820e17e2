// SPDX-License-Identifier: BSL-1.0
// expect: coterie: an argument loses its value
// most lines: 60
#include <utility>
#include <vector>

#include <coterie/coterie.hpp>

float power(float base, int exponent);

auto powers(coterie::pool& pool, const std::vector<std::pair<double, int>>& pairs) {
  return pool.starmap(power, pairs);
}
