// SPDX-License-Identifier: BSL-1.0
// expect: coterie: a raw pointer or reference cannot travel to another process
#include <vector>

#include <coterie/coterie.hpp>

int add(const int* one, int other) { return *one + other; }

auto sums(coterie::pool& pool, const std::vector<int>& numbers, const int* one) {
  return pool.map(coterie::bind(add, one), numbers);
}
