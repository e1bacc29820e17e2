// SPDX-License-Identifier: BSL-1.0
// expect: coterie_no_such_call_wrap_the_name_of_an_overloaded_function
// most lines: 60
#include <vector>

#include <coterie/coterie.hpp>

template <class T>
T twice(T number) {
  return 2 * number;
}

auto doubled(coterie::pool& pool) { return pool.apply(twice, 3); }
