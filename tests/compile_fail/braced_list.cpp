// SPDX-License-Identifier: BSL-1.0
// expect: coterie_no_such_call_wrap_the_name_of_an_overloaded_function
// most lines: 60
#include <coterie/coterie.hpp>

int twice(int number);

auto doubled(coterie::pool& pool) { return pool.imap(twice, {1, 2, 3}); }
