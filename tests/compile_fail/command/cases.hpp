// SPDX-License-Identifier: BSL-1.0

// Compiled once for all cases.
#ifndef COTERIE_TESTS_COMPILE_FAIL_COMMAND_CASES_HPP
#define COTERIE_TESTS_COMPILE_FAIL_COMMAND_CASES_HPP

#include <coterie/coterie.hpp>

#endif
