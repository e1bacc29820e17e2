// SPDX-License-Identifier: BSL-1.0
// expect: one argument too many?
// most lines: 60
#include <coterie/coterie.hpp>

double power(double base, int exponent);

auto raised(coterie::pool& pool) { return pool.apply(power, 2.0, 3, 4); }
