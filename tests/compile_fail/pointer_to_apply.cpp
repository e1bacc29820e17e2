// SPDX-License-Identifier: BSL-1.0
// expect: coterie: a raw pointer or reference cannot travel to another process
#include <coterie/coterie.hpp>

int value_of(const int* number) { return *number; }

auto applied(coterie::pool& pool, const int& number) { return pool.apply(value_of, &number); }
