// SPDX-License-Identifier: BSL-1.0

// What ends with its parent, however that ends. The parents here are children of the test, and
// theirs become the test's when they end.

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "processes/lifeline.hpp"
#include "support/child.hpp"
#include "support/processes.hpp"

namespace {

using coterie::detail::ends_with_parent;
using coterie::detail::lifeline;

[[noreturn]] void stay() {
  for (;;) ::pause();
}

pid_t child_that_stays() {
  const pid_t child = ::fork();
  if (child == 0) stay();
  return child;
}

/// A child that leads a group, and has a child of its own in it.
pid_t child_with_child() {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setpgid(0, 0);
    child_that_stays();
    stay();
  }
  ::setpgid(child, child);
  return child;
}

// One that was forked has then closed what it must not hold.
bool is_asleep(pid_t pid) { return test::status_of(pid).state == 'S'; }

bool has_a_child(pid_t pid) { return !test::children_of(pid).empty(); }

/// A process between the test and those that it ties to itself. It ends as it is told by a signal.
class parent {
 public:
  template <class Body>
  explicit parent(Body body) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_ = ::fork();
    if (pid_ == 0) {
      body();
      stay();
    }
  }
  parent(const parent&) = delete;
  parent& operator=(const parent&) = delete;
  ~parent() {
    if (pid_ > 0) kill();
    for (const pid_t each : test::children()) {
      ::kill(each, SIGKILL);
      ::waitpid(each, nullptr, 0);
    }
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
  }

  /// Its children, once there are so many and all are in their `pause`.
  [[nodiscard]] std::vector<pid_t> children(std::size_t count = 1) const {
    std::vector<pid_t> all;
    REQUIRE(test::eventually([&] {
      all = test::children_of(pid_);
      return all.size() == count && is_asleep(pid_) && std::ranges::all_of(all, is_asleep);
    }));
    return all;
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

  void kill() {
    ::kill(pid_, SIGKILL);
    CHECK(test::end_of_child(std::exchange(pid_, 0)) == -SIGKILL);
  }

 private:
  pid_t pid_ = 0;
};

// As long as the calling process lives.
void have_a_tied_child() {
  auto* const tie = new lifeline;
  tie->tie(child_that_stays(), ends_with_parent::worker);
}

}  // namespace

TEST_CASE("given a child that is tied, when its parent is killed, then it is killed as well") {
  parent between{[] {
    lifeline tie;
    const pid_t child = child_that_stays();
    tie.tie(child, ends_with_parent::worker);
    // The child's own descriptor is what counts.
    tie = lifeline{};
  }};
  const pid_t child = between.children().front();
  SECTION("while it waits") {}
  SECTION("while it is stopped") {
    ::kill(child, SIGSTOP);
    REQUIRE(test::eventually([&] { return test::status_of(child).state == 'T'; }));
  }
  between.kill();
  CHECK(test::end_of_child(child) == -SIGKILL);
}

TEST_CASE("given children that are tied, when their parent exits, then each is killed") {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const pid_t between = ::fork();
  if (between == 0) {
    for (int each = 0; each < 3; ++each) {
      lifeline tie;
      tie.tie(child_that_stays(), ends_with_parent::worker);
    }
    ::_exit(7);
  }
  CHECK(test::end_of_child(between) == 7);
  CHECK(test::eventually([] {
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    return test::children().empty();
  }));
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST_CASE("given a group that is tied, when its parent is killed, then all that is in it ends") {
  const auto what = GENERATE(ends_with_parent::worker, ends_with_parent::process_group);
  parent between{[&] {
    lifeline tie;
    tie.tie(child_with_child(), what);
    tie = lifeline{};
  }};
  const pid_t child = between.children().front();
  REQUIRE(test::eventually([&] { return has_a_child(child); }));
  const pid_t grandchild = test::children_of(child).front();
  between.kill();
  CHECK(test::end_of_child(child) == -SIGKILL);
  if (what == ends_with_parent::process_group) {
    CHECK(test::end_of_child(grandchild) == -SIGKILL);
  } else {
    // The signal was sent when the parent ended: what was to come of it has come.
    CHECK_FALSE(test::gone(grandchild));
  }
}

TEST_CASE("given a child that is not tied yet, when its parent is killed, then it lives") {
  parent between{[] {
    const auto* const kept = new lifeline;
    static_cast<void>(kept);
    child_that_stays();
  }};
  const pid_t child = between.children().front();
  between.kill();
  REQUIRE(test::status_of(child).parent == ::getpid());
  CHECK_FALSE(test::gone(child));
}

TEST_CASE(
    "given a process that the parent has forked, when the parent ends, then it is no parent") {
  parent between{[] {
    have_a_tied_child();
    child_that_stays();  // would keep the writing end open
  }};
  const auto both = between.children(2);
  between.kill();
  CHECK(test::end_of_child(std::ranges::min(both)) == -SIGKILL);
  CHECK_FALSE(test::gone(std::ranges::max(both)));
}

TEST_CASE(
    "given a process that was forked, when it ties a child of its own, then that ends with it") {
  parent between{[] {
    have_a_tied_child();
    const pid_t other = ::fork();
    if (other == 0) {
      have_a_tied_child();
      stay();
    }
  }};
  const auto both = between.children(2);
  const pid_t first = std::ranges::min(both);
  const pid_t other = std::ranges::max(both);
  REQUIRE(test::eventually([&] { return has_a_child(other) && is_asleep(other); }));
  const pid_t of_the_other = test::children_of(other).front();
  ::kill(other, SIGKILL);
  CHECK(test::end_of_child(of_the_other) == -SIGKILL);
  CHECK_FALSE(test::gone(first));
}

TEST_CASE("given lifelines, when they are let go of, then one pipe is left of them all") {
  {
    const lifeline first;
  }
  const auto before = test::descriptors();
  {
    const lifeline one;
    const lifeline other;
    CHECK(one.descriptor() != other.descriptor());
    CHECK(test::descriptors().size() == before.size() + 2);
  }
  CHECK(test::descriptors() == before);
}
