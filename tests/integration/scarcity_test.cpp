// SPDX-License-Identifier: BSL-1.0

// Not enough descriptors or processes, and then enough again.

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "support/processes.hpp"
#include "support/program.hpp"

namespace {

// All that the fixture says, up to its last word.
std::vector<std::string> lines_of(test::program& fixture) {
  std::vector<std::string> lines;
  while (lines.empty() || lines.back() != "end") lines.push_back(fixture.line());
  lines.pop_back();
  return lines;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE(
    "given few descriptors, when a call is made, it fails clearly; given enough, it succeeds") {
  if (test::sanitized)
    return;  // sanitizers need descriptors themselves, and take their lack for faults
  const std::string how = GENERATE("alone", "beside another pool");
  INFO(how);
  test::program fixture{{"few_descriptors", how}};
  int failed = 0;
  int succeeded = 0;
  for (const std::string& line : lines_of(fixture)) {
    INFO(line);
    if (line.starts_with("then ") || line.starts_with("first ")) {
      CHECK(line.ends_with(" right"));
      continue;
    }
    // "number of descriptors left, outcome"
    REQUIRE(std::isdigit(static_cast<unsigned char>(line.at(0))) != 0);
    const std::string outcome = line.substr(line.find(' ') + 1);
    if (outcome == "right") {
      ++succeeded;
    } else if (outcome.starts_with("start_failed ")) {
      ++failed;
      // The step that failed, and the system's reason.
      CHECK(contains(outcome, "cannot "));
      CHECK(contains(outcome, "Too many open files"));
    } else {
      FAIL("neither a result nor start_failed");
    }
  }
  CHECK(failed > 0);
  CHECK(succeeded > 0);
  CHECK(fixture.exit_code() == 0);
  CHECK(fixture.rest_of_error().empty());
}

TEST_CASE(
    "given a pool at work, when descriptors run out and workers die, then every item is told") {
  if (test::sanitized) return;  // for the same reason
  test::program fixture{{"few_descriptors_later"}};
  const auto lines = lines_of(fixture);
  REQUIRE(lines.size() == 4);
  CHECK(lines[0] == "right");
  // Two workers, three items that kill theirs: one is left, and no worker to do it.
  for (const std::size_t each : {1U, 2U}) {
    INFO(lines[each]);
    CHECK(lines[each].starts_with("start_failed "));
    CHECK(contains(lines[each], "Too many open files"));
  }
  CHECK(lines[3] == "right");
  CHECK(fixture.exit_code() == 0);
}

TEST_CASE("given few processes, when a call is made, it fails clearly; given enough, it succeeds") {
  test::program fixture{{"few_processes"}};
  const auto lines = lines_of(fixture);
  REQUIRE(lines.size() == 3);
  for (std::size_t each : {0U, 1U}) {
    INFO(lines[each]);
    CHECK(lines[each].starts_with("start_failed "));
    CHECK(contains(lines[each], "cannot start a process"));
    CHECK(contains(lines[each], "Resource temporarily unavailable"));
  }
  CHECK(lines[2] == "right");
  CHECK(fixture.exit_code() == 0);
  CHECK(fixture.rest_of_error().empty());
}
