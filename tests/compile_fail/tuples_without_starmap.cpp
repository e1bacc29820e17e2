// SPDX-License-Identifier: BSL-1.0
// expect: starmap and istarmap spread a tuple over several
#include <utility>
#include <vector>

#include <coterie/coterie.hpp>

int add(int one, int other) { return one + other; }

auto sums(coterie::pool& pool, const std::vector<std::pair<int, int>>& pairs) {
  return pool.map(add, pairs);
}
