// SPDX-License-Identifier: BSL-1.0
// expect: coterie: the fields of this struct cannot be told
// most lines: 60
#include <coterie/coterie.hpp>

struct base {
  int number;
};

struct derived : base {
  int other;
};

int number_of(const derived& value) { return value.number; }

auto number(coterie::pool& pool) { return pool.apply(number_of, derived{}); }
