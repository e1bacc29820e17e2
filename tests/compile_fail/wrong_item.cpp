// SPDX-License-Identifier: BSL-1.0
// expect: coterie: the function cannot be called with what the input holds
#include <string>
#include <vector>

#include <coterie/coterie.hpp>

int square(int number) { return number * number; }

auto squares(coterie::pool& pool, const std::vector<std::string>& words) {
  return pool.map(square, words);
}
