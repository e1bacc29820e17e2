// SPDX-License-Identifier: BSL-1.0
// expect: include_coterie_pool_hpp_to_make_a_worker_task
// most lines: 30
// flags: -std=c++20
#include <coterie/pool_options.hpp>

void open_database();

coterie::pool_options options() { return {.initializer = open_database}; }
