// SPDX-License-Identifier: BSL-1.0

// Compiled once for the tests of a folder.
#ifndef COTERIE_TESTS_SUPPORT_PCH_HPP
#define COTERIE_TESTS_SUPPORT_PCH_HPP

#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#endif
