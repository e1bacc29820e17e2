// SPDX-License-Identifier: BSL-1.0
// expect: coterie: apply was given another number of arguments
// most lines: 60
#include <coterie/coterie.hpp>

double power(double base, int exponent);

auto raised(coterie::pool& pool) { return pool.apply(power, 2.0); }
