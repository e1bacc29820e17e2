// SPDX-License-Identifier: BSL-1.0
// expect: coterie: a raw pointer or reference cannot travel to another process
#include <coterie/coterie.hpp>

const int* find(int number);

auto found(coterie::pool& pool) { return pool.apply(find, 1); }
