// SPDX-License-Identifier: BSL-1.0
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>

#include <catch2/catch.hpp>

#include <coterie/detail/home_process.hpp>

#include "support/child.hpp"

namespace {

using coterie::detail::home_process;

}  // namespace

TEST_CASE("given a home process, when it is asked there, then it is at home") {
  const home_process home;
  CHECK(home.is_here());
  CHECK_NOTHROW(home.require());
  CHECK(home.pid() == ::getpid());
}

TEST_CASE(
    "given a home process, when a forked child asks, then it is refused, and its own is not") {
  const home_process home;
  const int code = test::in_child([&] {
    if (home.is_here()) return 1;
    try {
      home.require();
      return 2;
    } catch (const coterie::error& problem) {
      if (problem.code() != coterie::errc::forked) return 3;
      const std::string text = problem.what();
      if (text.find(std::to_string(home.pid())) == std::string::npos) return 4;
    }
    const home_process own;
    if (!own.is_here()) return 6;
    return test::in_child([&] { return own.is_here() || home.is_here() ? 7 : 5; });
  });
  CHECK(code == 5);
  CHECK(home.is_here());
}

TEST_CASE("given a child made without fork's handlers, when it asks, then it is not at home") {
  const home_process home;
  const auto make = GENERATE(
      +[] { return ::_Fork(); },
      +[] { return static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, 0)); });
  const pid_t child = make();
  if (child == 0) ::_exit(home.is_here() ? 6 : 5);
  CHECK(test::end_of_child(child) == 5);
}

TEST_CASE(
    "given a child and its child, when each makes an object, then it is at home there alone") {
  const int code = test::in_child([] {
    const home_process child;
    const int below = test::in_child([&] {
      const home_process grandchild;
      return grandchild.is_here() && !child.is_here() ? 5 : 6;
    });
    return child.is_here() ? below : 7;
  });
  CHECK(code == 5);
}

TEST_CASE("given an object at home, when it is let go of, then it is destroyed there only") {
  struct counts {
    explicit counts(int& all) : all_{all} {}
    ~counts() { ++all_; }
    int& all_;
  };
  int destroyed = 0;
  auto object = coterie::detail::make_shared_at_home<counts>(destroyed);
  const int code = test::in_child([&] {
    object.reset();
    return destroyed == 0 ? 5 : 6;
  });
  CHECK(code == 5);
  object.reset();
  CHECK(destroyed == 1);
}
