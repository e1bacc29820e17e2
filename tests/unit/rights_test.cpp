// SPDX-License-Identifier: BSL-1.0

// What a start of this program's file would give to a worker. The system's answers are made up by a
// filter of system calls, so that neither root nor a privileged program is needed.

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <vector>

#include <catch2/catch.hpp>

#include "program/rights.hpp"
#include "support/child.hpp"
#include "support/refused_calls.hpp"
#include "support/signal.hpp"

namespace {

namespace fs = std::filesystem;
using coterie::detail::start_rights;
using coterie::detail::started_with_more_rights;
using coterie::detail::worker_rights;

// What a system call that fails with the error 1 seems to say, where failure is not thought of.
constexpr int another = 1;

/// What holds in a process for which these calls say something else. -1: they cannot be made to.
int rights_with(const std::vector<long>& calls) {
  return test::in_child([&] {
    for (const long each : calls) {
      if (!test::refuse(each, another)) return -1;
    }
    // Filters bring `no_new_privs` with them, and that is not what is asked for.
    if (!test::refuse(SYS_prctl, EINVAL)) return -1;
    return static_cast<int>(start_rights());
  });
}

constexpr int as_here = static_cast<int>(worker_rights::as_here);
constexpr int none_to_gain = static_cast<int>(worker_rights::none_to_gain);
constexpr int undecided = static_cast<int>(worker_rights::undecided);

const std::vector<long> another_user{SYS_getuid, SYS_geteuid};
const std::vector<long> another_group{SYS_getgid, SYS_getegid};

void become(const char* file, mode_t mode) { REQUIRE(::chmod(file, mode) == 0); }

}  // namespace

TEST_CASE("given a program without privileges, when its rights are asked for, then it has none") {
  CHECK_FALSE(started_with_more_rights());
  CHECK(start_rights() == worker_rights::as_here);
  CHECK(rights_with({}) == as_here);
}

TEST_CASE(
    "given real and effective users or groups that differ, when asked, then it is undecided") {
  CHECK(rights_with({SYS_getuid}) == undecided);
  CHECK(rights_with({SYS_geteuid}) == undecided);
  CHECK(rights_with({SYS_getgid}) == undecided);
  CHECK(rights_with({SYS_getegid}) == undecided);
}

TEST_CASE("given a file without set-user-ID, when another user runs it, then it gives nothing") {
  CHECK(rights_with(another_user) == as_here);
  CHECK(rights_with(another_group) == as_here);
}

// A copy of this program, whose file can be changed, runs these.
TEST_CASE("in a copy", "[.]") {
  const std::string name = fs::read_symlink("/proc/self/exe");
  const char* const file = name.c_str();
  struct statvfs about{};
  REQUIRE(::statvfs(file, &about) == 0);
  const bool honoured = (about.f_flag & ST_NOSUID) == 0;
  const int gains = honoured ? none_to_gain : as_here;

  SECTION("the file sets the user") {
    become(file, 04755);
    CHECK(rights_with({}) == as_here);
    CHECK(rights_with(another_group) == as_here);
    CHECK(rights_with(another_user) == gains);
  }
  SECTION("the file sets the group") {
    become(file, 02755);
    CHECK(rights_with({}) == as_here);
    CHECK(rights_with(another_user) == as_here);
    CHECK(rights_with(another_group) == gains);
  }
  SECTION("the file has the bit of the group, and its group may not run it: that is a lock") {
    become(file, 02745);
    CHECK(rights_with(another_group) == as_here);
  }
  SECTION("the process can gain nothing by it") {
    become(file, 06755);
    CHECK(test::in_child([] {
            for (const long each : another_user) {
              if (!test::refuse(each, another)) return -1;
            }
            return static_cast<int>(start_rights());
          }) == as_here);
  }
}

TEST_CASE("given a file that sets user or group, when its rights are asked for, then it says so") {
  const test::directory folder;
  const std::string copy = folder.file("copy");
  fs::copy_file("/proc/self/exe", copy);
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl(copy.c_str(), copy.c_str(), "in a copy", static_cast<char*>(nullptr));
    ::_exit(127);
  }
  CHECK(test::end_of_child(child) == 0);
}
