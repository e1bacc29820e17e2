// SPDX-License-Identifier: BSL-1.0
// expect: coterie: a pointer to a member cannot be a task; write a lambda
#include <string>
#include <vector>

#include <coterie/coterie.hpp>

auto lengths(coterie::pool& pool, const std::vector<std::string>& words) {
  return pool.map(&std::string::size, words);
}
