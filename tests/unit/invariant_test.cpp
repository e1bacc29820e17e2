// SPDX-License-Identifier: BSL-1.0
#include <string>

#include <catch2/catch.hpp>

#include "schedule/ledger.hpp"
#include "system/invariant.hpp"

using coterie::detail::broken_invariant;
using coterie::detail::invariant;
using coterie::detail::ledger;

TEST_CASE("given what holds, when it is checked, then nothing happens") {
  CHECK_NOTHROW(invariant(true, "it is well"));
}

TEST_CASE("given what does not hold, when it is checked, then the error says whose fault that is") {
  try {
    invariant(false, "two and two are five");
    FAIL("it did not throw");
  } catch (const broken_invariant& error) {
    const std::string text = error.what();
    CHECK(text == "coterie: internal error, please report it: two and two are five");
  }
}

TEST_CASE(
    "given a chunk that is closed, when it is closed again, then that is not done in silence") {
  ledger chunks;
  const auto chunk = chunks.open(1, 2, 0);
  chunks.fill(chunk, 3, {}, {});
  chunks.close(chunk);
  CHECK_THROWS_AS(chunks.close(chunk), broken_invariant);
}
