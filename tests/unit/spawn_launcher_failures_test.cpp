// SPDX-License-Identifier: BSL-1.0

// What a launcher says when it cannot start a program, and that it leaves nothing behind, then or
// later.

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

#include "launched.hpp"
#include "support/child.hpp"
#include "support/processes.hpp"
#include "support/refused_calls.hpp"
#include "support/sanitized.hpp"
#include "support/signal.hpp"

namespace {

namespace fs = std::filesystem;
using namespace launched;

/// That a start fails, and leaves neither a process nor a descriptor. Returns why.
template <class... Initializers>
int failure_of(const std::string& program, Initializers&&... initializers) {
  asio::io_context loop{1};
  boost::system::error_code failure;
  // What the loop needs for itself it makes with its first descriptor.
  asio::readable_pipe from{loop};
  asio::writable_pipe to{loop};
  asio::connect_pipe(from, to);
  const auto before = test::held_now();
  {
    const auto none = launch(loop, failure, program, std::forward<Initializers>(initializers)...);
    CHECK(none.id() <= 0);
    CHECK_FALSE(none.is_open());
  }
  CHECK(test::held_now() == before);
  CHECK(failure.category() == boost::system::system_category());
  return failure.value();
}

}  // namespace

TEST_CASE("given several initializers, when one fails, then none behind it is called") {
  bool called = false;
  CHECK(failure_of(cat, setup{[](spawn_launcher&) { return EDOM; }}, setup{[&](spawn_launcher&) {
                     return static_cast<int>(called = true);
                   }}) == EDOM);
  CHECK_FALSE(called);
}

// ---- what stays here --------------------------------------------------------------------------

TEST_CASE("given children that end, when they are let go of, then nothing is left of them") {
  asio::io_context loop{1};
  asio::readable_pipe from{loop};
  asio::writable_pipe to{loop};
  asio::connect_pipe(from, to);
  const auto before = test::held_now();
  boost::system::error_code failure;
  SECTION("by themselves") {
    auto process = launch(loop, failure, "/bin/true");
    REQUIRE_FALSE(failure);
    CHECK(test::descriptors().size() == before.descriptors.size() + 1);
    const pid_t pid = process.id();
    process.detach();
    CHECK(test::end_of_child(pid) == 0);
  }
  SECTION("with the process that the launcher made") {
    const auto process = spawn_launcher{}(loop.get_executor(), failure, "/bin/sleep",
                                          std::vector<std::string>{"1000"});
    REQUIRE_FALSE(failure);
  }
  CHECK(test::held_now() == before);
}

TEST_CASE("given a child, when this program looks at its descriptors, then all close by exec") {
  asio::io_context loop{1};
  boost::system::error_code failure;
  const auto before = test::descriptors();
  const auto process = spawn_launcher{}(loop.get_executor(), failure, "/bin/sleep",
                                        std::vector<std::string>{"1000"});
  REQUIRE_FALSE(failure);
  for (const int each : test::descriptors()) {
    if (std::ranges::find(before, each) != before.end()) continue;
    CHECK((::fcntl(each, F_GETFD) & FD_CLOEXEC) != 0);
  }
}

TEST_CASE("given no pidfds, when a program starts, then it does, and is let go of as ever") {
  CHECK(test::in_child([] {
          if (!test::refuse(SYS_pidfd_open, ENOSYS)) return 1;
          asio::io_context loop{1};
          boost::system::error_code failure;
          asio::readable_pipe from{loop};
          asio::writable_pipe to{loop};
          asio::connect_pipe(from, to);
          const auto before = test::held_now();
          {
            auto process = spawn_launcher{}(loop.get_executor(), failure, "/bin/sleep",
                                            std::vector<std::string>{"1000"});
            if (failure || !process.is_open()) return 2;
          }
          return test::held_now() == before ? 0 : 3;
        }) == 0);
}

// ---- failures ---------------------------------------------------------------------------------

TEST_CASE("given a start that cannot be, when it is tried, then its reason comes, and no process") {
  const test::directory folder;
  const std::string file = folder.file("file");
  std::ofstream{file} << "no program";
  SECTION("the program is missing") { CHECK(failure_of(folder.file("missing")) == ENOENT); }
  SECTION("it is no program") { CHECK(failure_of(file) == EACCES); }
  SECTION("it is one of no kind") {
    ::chmod(file.c_str(), 0700);
    CHECK(failure_of(file) == ENOEXEC);
  }
  SECTION("the directory is missing") {
    CHECK(failure_of(cat, v2::process_start_dir{folder.file("missing")}) == ENOENT);
  }
  SECTION("the directory is a file") {
    CHECK(failure_of(cat, v2::process_start_dir{file}) == ENOTDIR);
  }
  SECTION("the directory's descriptor is none") {
    CHECK(failure_of(cat, setup{[](spawn_launcher& launcher) { return launcher.begin_in(-1); }}) ==
          EBADF);
  }
  SECTION("a stream's file is missing") {
    const v2::filesystem::path missing = folder.file("missing");
    CHECK(failure_of(cat, v2::process_stdio{missing, {}, {}}) == ENOENT);
  }
  SECTION("a stream's pipe could not be made") {
    v2::process_stdio streams;
    streams.out.ec = {EMFILE, boost::system::system_category()};
    CHECK(failure_of(cat, streams) == EMFILE);
  }
  SECTION("a stream's descriptor is not open") {
    CHECK(failure_of(cat, v2::process_stdio{900, {}, {}}) == EBADF);
  }
  SECTION("a descriptor that is given is not open") {
    CHECK(failure_of(cat, setup{[](spawn_launcher& launcher) { return launcher.give(900, 3); }}) ==
          EBADF);
  }
  SECTION("the variables are too long") {
    CHECK(failure_of(cat, v2::process_environment{std::vector<std::string>{
                              "LONG=" + std::string(std::size_t{1} << 20U, 'x')}}) == E2BIG);
  }
}

TEST_CASE("given no descriptor to watch a child by, when it starts, then it is ended and reaped") {
  if (test::sanitized) return;  // their runtimes need descriptors of their own
  CHECK(test::in_child([] {
          asio::io_context loop{1};
          boost::system::error_code failure;
          asio::readable_pipe from{loop};
          asio::writable_pipe to{loop};
          asio::connect_pipe(from, to);
          const int next = ::dup(STDIN_FILENO);
          ::close(next);
          rlimit limit{};
          ::getrlimit(RLIMIT_NOFILE, &limit);
          const rlim_t before = std::exchange(limit.rlim_cur, static_cast<rlim_t>(next));
          ::setrlimit(RLIMIT_NOFILE, &limit);
          const auto none = launch(loop, failure, cat, v2::process_stdio{});
          limit.rlim_cur = before;
          ::setrlimit(RLIMIT_NOFILE, &limit);
          if (failure.value() != EMFILE || none.is_open()) return 1;
          return test::children().empty() ? 0 : 2;
        }) == 0);
}

TEST_CASE("given a loop that takes no descriptor, when a child starts, then it is ended as well") {
  CHECK(test::in_child([] {
          asio::io_context loop{1};
          boost::system::error_code failure;
          asio::readable_pipe from{loop};
          asio::writable_pipe to{loop};
          asio::connect_pipe(from, to);
          const auto before = test::descriptors();
          bool found = false;
          for (const int each : before) {
            std::error_code none;
            const auto what = fs::read_symlink("/proc/self/fd/" + std::to_string(each), none);
            if (what != "anon_inode:[eventpoll]") continue;
            found = true;
            ::dup2(STDIN_FILENO, each);
          }
          // A loop on io_uring is not asked before something is waited for.
          if (!found) return 0;
          const auto none = launch(loop, failure, cat);
          if (!failure || none.is_open()) return 1;
          if (test::descriptors() != before) return 2;
          return test::children().empty() ? 0 : 3;
        }) == 0);
}
