// SPDX-License-Identifier: BSL-1.0
// expect: coterie: the items must be a range
// most lines: 60
#include <coterie/coterie.hpp>

int square(int number) { return number * number; }

auto squares(coterie::pool& pool) { return pool.map(square, 3); }
