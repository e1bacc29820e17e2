// SPDX-License-Identifier: BSL-1.0
// expect: std::bind_front
// expect: coterie::bind(function, arguments...)
// most lines: 60
#include <functional>
#include <vector>

#include <coterie/coterie.hpp>

int add(int one, int other) { return one + other; }

auto sums(coterie::pool& pool, const std::vector<int>& numbers) {
  return pool.map(std::bind_front(add, 1), numbers);
}
