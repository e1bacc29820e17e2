// SPDX-License-Identifier: BSL-1.0

// What is said of a start that failed: what is missing, or in the way.

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include <catch2/catch.hpp>

#include "processes/start_errors.hpp"

namespace {

using Catch::Matchers::Contains;
using coterie::detail::why_not_started;

const std::string own_file = std::filesystem::read_symlink("/proc/self/exe");

}  // namespace

TEST_CASE("given a program that is missing, when it cannot start, then that is said") {
  CHECK(why_not_started(ENOENT, "/not/there") == "there is no /not/there any more");
  CHECK(why_not_started(ENOTDIR, "/dev/null/x") == "there is no /dev/null/x any more");
}

TEST_CASE("given a program that is there, when a file is missing, then it is its loader") {
  CHECK_THAT(why_not_started(ENOENT, own_file), Contains("the loader that " + own_file));
}

TEST_CASE("given a program that may not be executed, when it cannot start, then it is named") {
  for (const int error : {EACCES, EPERM}) {
    CHECK_THAT(why_not_started(error, own_file), Contains(own_file + " may not be executed"));
  }
}

TEST_CASE("given too many processes, when one cannot start, then the limit is named") {
  CHECK_THAT(why_not_started(EAGAIN, own_file), Contains("limit of processes"));
}

TEST_CASE("given variables that are too long, when a process cannot start, then they are named") {
  CHECK_THAT(why_not_started(E2BIG, own_file), Contains("environment"));
}

TEST_CASE("given another error, when a process cannot start, then the system's text says it all") {
  CHECK(why_not_started(ENOMEM, own_file).empty());
}

TEST_CASE("given a process as most are, when it wants workers, then nothing speaks against it") {
  CHECK(coterie::detail::why_no_workers().empty());
}
