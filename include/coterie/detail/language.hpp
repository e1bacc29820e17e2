// SPDX-License-Identifier: BSL-1.0
#pragma once

// Included first by each public header. No file has the name below: a compiler that looks for it
// stops, and the thousand errors of an older language do not bury the one that helps.
#if __cplusplus < 202002L
#error "coterie: needs C++20; compile with -std=c++20"
#include <coterie needs -std=c++20>
#endif
