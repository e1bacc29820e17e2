// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <source_location>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <catch2/catch.hpp>

#include <coterie/error.hpp>

#include "support/processes.hpp"
#include "support/run.hpp"

// `CHECK(co_await ...)` awaits several times when g++ 12 compiles it: Catch2 mentions the
// expression again where it is never to be evaluated, and g++ evaluates it there all the same.

namespace test {

/// The code of one of coterie's own errors; fails the test if it is another exception, or none.
inline coterie::errc code_of(const std::exception_ptr& problem) {
  return static_cast<coterie::errc>(as<coterie::error>(problem).code().value());
}

/// Awaits an operation that must complete with `value`.
template <class T, class V>
boost::asio::awaitable<void> gives(boost::asio::awaitable<T> operation, V value,
                                   std::source_location where = std::source_location::current()) {
  const T given = co_await std::move(operation);
  INFO("in line " << where.line());
  CHECK(given == value);
}

/// Awaits an operation that must fail with `code`.
template <class T>
boost::asio::awaitable<void> fails_with(
    boost::asio::awaitable<T> operation, coterie::errc code,
    std::source_location where = std::source_location::current()) {
  const auto problem = co_await failure_of(std::move(operation));
  INFO("in line " << where.line());
  REQUIRE(problem);
  CHECK(code_of(problem) == code);
}

/// Lets the event loop go on until something is so, which must be soon.
template <class Condition>
boost::asio::awaitable<void> becomes(Condition condition,
                                     std::source_location where = std::source_location::current()) {
  const bool so = co_await soon(std::move(condition));
  INFO("in line " << where.line());
  REQUIRE(so);
}

}  // namespace test
