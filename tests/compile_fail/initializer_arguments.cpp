// SPDX-License-Identifier: BSL-1.0
// expect: coterie: an initializer or finalizer is called without arguments; use
#include <string>

#include <coterie/coterie.hpp>

void open_database(const std::string& path);

coterie::pool_options options() { return {.initializer = open_database}; }
