// SPDX-License-Identifier: BSL-1.0
// expect: coterie: needs C++20; compile with -std=c++20
// flags: -std=c++17
// most lines: 20
#include <coterie/coterie.hpp>

int answer();
