// SPDX-License-Identifier: BSL-1.0
// expect: coterie: a std::function hides what it holds
#include <functional>
#include <vector>

#include <coterie/coterie.hpp>

auto mapped(coterie::pool& pool, const std::vector<int>& numbers,
            std::function<int(int)> function) {
  return pool.map(function, numbers);
}
