// SPDX-License-Identifier: BSL-1.0
// expect: coterie: the function takes a reference that is not const
// most lines: 60
#include <vector>

#include <coterie/coterie.hpp>

void fill(std::vector<int>& out);

auto filled(coterie::pool& pool, std::vector<int>& numbers) { return pool.apply(fill, numbers); }
