// SPDX-License-Identifier: BSL-1.0
// expect: coterie: apply was given arguments of types
#include <string>

#include <coterie/coterie.hpp>

int square(int number) { return number * number; }

auto squared(coterie::pool& pool, const std::string& word) { return pool.apply(square, word); }
