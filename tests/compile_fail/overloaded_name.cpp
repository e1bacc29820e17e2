// SPDX-License-Identifier: BSL-1.0
// expect: coterie_no_such_call_wrap_the_name_of_an_overloaded_function
// most lines: 60
#include <vector>

#include <coterie/coterie.hpp>

int twice(int number);
double twice(double number);

auto doubled(coterie::pool& pool, const std::vector<int>& numbers) {
  return pool.map(twice, numbers);
}
