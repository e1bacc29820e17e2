// SPDX-License-Identifier: BSL-1.0

// A launcher of Boost.Process's concept, without a pool: what it takes, and what its children have
// and have not.

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

#include "launched.hpp"
#include "support/child.hpp"
#include "support/signal.hpp"

namespace {

namespace fs = std::filesystem;
using namespace launched;

constexpr unsigned long long bit_of(int signal) {
  return 1ULL << static_cast<unsigned>(signal - 1);
}

template <class... Initializers>
int exit_code_of(const std::string& program, Initializers&&... initializers) {
  asio::io_context loop{1};
  boost::system::error_code failure;
  auto process = launch(loop, failure, program, std::forward<Initializers>(initializers)...);
  REQUIRE_FALSE(failure);
  const pid_t pid = process.id();
  process.detach();
  return test::end_of_child(pid);
}
std::string contents(const std::string& file) {
  std::ifstream from{file};
  return {std::istreambuf_iterator<char>{from}, {}};
}

/// Signals of the test as they were, when it ends.
class own_signals {
 public:
  own_signals() {
    sigset_t blocked;
    ::sigemptyset(&blocked);
    ::sigaddset(&blocked, SIGUSR1);
    ::pthread_sigmask(SIG_BLOCK, &blocked, &mask_);
    interrupt_ = ::signal(SIGINT, SIG_IGN);
    hang_up_ = ::signal(SIGHUP, SIG_IGN);
  }
  own_signals(const own_signals&) = delete;
  own_signals& operator=(const own_signals&) = delete;
  ~own_signals() {
    ::signal(SIGHUP, hang_up_);
    ::signal(SIGINT, interrupt_);
    ::pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
  }

 private:
  sigset_t mask_{};
  sighandler_t interrupt_;
  sighandler_t hang_up_;
};

}  // namespace

// ---- initializers -----------------------------------------------------------------------------

TEST_CASE("given variables, when a program starts, then it has those and no others") {
  const std::vector<std::string> all{"ONE=1", "OTHER=with spaces = 2"};
  v2::process_environment variables{all};
  const echo child{variables};
  CHECK(child.said_of_it("environ") == all[0] + '\0' + all[1] + '\0');
}

TEST_CASE("given no variables at all, when a program starts, then it has none") {
  const echo child{v2::process_environment{std::vector<std::string>{}}};
  CHECK(child.said_of_it("environ").empty());
}

TEST_CASE("given nothing about variables, when a program starts, then it has this program's") {
  ::setenv("COTERIE_TEST_VARIABLE", "here", 1);
  const echo child;
  ::unsetenv("COTERIE_TEST_VARIABLE");
  CHECK(child.said_of_it("environ").find("COTERIE_TEST_VARIABLE=here") != std::string::npos);
}

TEST_CASE("given arguments, when a program starts, then it has them behind its name") {
  asio::io_context loop{1};
  boost::system::error_code failure;
  const std::vector<std::string> arguments{"-c", "test \"$1\" = 'a  b' && exit 7", "name", "a  b"};
  auto process = spawn_launcher{}(loop.get_executor(), failure, "/bin/sh", arguments);
  REQUIRE_FALSE(failure);
  const pid_t pid = process.id();
  process.detach();
  CHECK(test::end_of_child(pid) == 7);
}

TEST_CASE("given a directory, when a program starts, then it begins there") {
  const test::directory folder;
  const std::string name = fs::canonical(folder.file(""));
  SECTION("by its name, as Boost.Process has it") {
    const echo child{v2::process_start_dir{name}};
    CHECK(child.directory() == name);
  }
  SECTION("by a name that is gone once it has been said") {
    const echo child{setup{[&](spawn_launcher& launcher) {
      const std::string copy = name;
      return launcher.begin_in(copy.c_str());
    }}};
    CHECK(child.directory() == name);
  }
  SECTION("by a descriptor") {
    const int opened = ::open(name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    const echo child{setup{[&](spawn_launcher& launcher) { return launcher.begin_in(opened); }}};
    ::close(opened);
    CHECK(child.directory() == name);
  }
  SECTION("none: where this program is") {
    const echo child;
    CHECK(child.directory() == fs::current_path());
  }
}

TEST_CASE("given streams, when a program starts, then they are where it was told") {
  const test::directory folder;
  std::ofstream{folder.file("input")} << "words";
  const v2::filesystem::path input = folder.file("input");
  const v2::filesystem::path output = folder.file("output");
  SECTION("files by their names") {
    CHECK(exit_code_of(cat, v2::process_stdio{input, output, {}}) == 0);
    CHECK(contents(output.string()) == "words");
  }
  SECTION("descriptors, as a pool gives them") {
    const int from = ::open(input.c_str(), O_RDONLY | O_CLOEXEC);
    const int to = ::open(output.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK(exit_code_of(cat, v2::process_stdio{from, to, STDERR_FILENO}) == 0);
    ::close(from);
    ::close(to);
    CHECK(contents(output.string()) == "words");
  }
  SECTION("nothing, and the error beside the output") {
    const int to = ::open(output.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const std::vector<std::string> arguments{"-c", "cat; echo one; echo two >&2"};
    asio::io_context loop{1};
    boost::system::error_code failure;
    auto process = spawn_launcher{}(loop.get_executor(), failure, "/bin/sh", arguments,
                                    v2::process_stdio{nullptr, to, to});
    REQUIRE_FALSE(failure);
    const pid_t pid = process.id();
    process.detach();
    CHECK(test::end_of_child(pid) == 0);
    ::close(to);
    CHECK(contents(output.string()) == "one\ntwo\n");
  }
}

TEST_CASE("given closed streams of this program, when its own are passed on, then they stay so") {
  CHECK(test::in_child([] {
          ::close(STDIN_FILENO);
          ::close(STDERR_FILENO);
          asio::io_context loop{1};
          boost::system::error_code failure;
          // The loop has taken their numbers, and closes its descriptors in the child.
          const std::vector<std::string> arguments{"-c", "! true 3<&0 && ! true 3>&2 && exit 5"};
          auto process = spawn_launcher{}(loop.get_executor(), failure, "/bin/sh", arguments,
                                          v2::process_stdio{});
          if (failure) return failure.value();
          const pid_t pid = process.id();
          process.detach();
          return test::end_of_child(pid);
        }) == 5);
}
// ---- what a child has -------------------------------------------------------------------------

TEST_CASE("given open descriptors, when a program starts, then it has only those that are given") {
  const test::directory folder;
  const int file = ::open(folder.file("file").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  // No `O_CLOEXEC`: as programs open them that do not think of it. Low numbers and high ones.
  std::vector<int> careless;
  for (const int least : {3, 7, 20, 500}) careless.push_back(::fcntl(file, F_DUPFD, least));
  SECTION("none") {
    const echo child;
    CHECK(child.descriptors() == std::vector{0, 1, 2});
  }
  SECTION("some, with gaps between them") {
    const echo child{setup{[&](spawn_launcher& launcher) {
      const int failure = launcher.give(file, 12);
      return failure != 0 ? failure : launcher.give(file, 4);
    }}};
    CHECK(child.descriptors() == std::vector{0, 1, 2, 4, 12});
    CHECK(child.descriptor(4) == folder.file("file"));
    CHECK(child.descriptor(12) == folder.file("file"));
  }
  SECTION("one under the number that it has") {
    const echo child{setup{[&](spawn_launcher& launcher) { return launcher.give(file, file); }}};
    CHECK(child.descriptors() == std::vector{0, 1, 2, file});
  }
  for (const int each : careless) ::close(each);
  ::close(file);
}

TEST_CASE("given signals that this program blocks or ignores, when a program starts, then it may") {
  const own_signals changed;
  SECTION("as nothing is said of them") {
    const echo child;
    CHECK((child.signals("SigBlk") & bit_of(SIGUSR1)) != 0);
    CHECK((child.signals("SigIgn") & bit_of(SIGINT)) != 0);
    CHECK((child.signals("SigIgn") & bit_of(SIGHUP)) != 0);
  }
  SECTION("not do so where it was asked for") {
    sigset_t defaults;
    ::sigemptyset(&defaults);
    ::sigaddset(&defaults, SIGINT);
    const echo child{
        setup{[&](spawn_launcher& launcher) { return launcher.reset_signals(defaults); }}};
    CHECK(child.signals("SigBlk") == 0);
    CHECK((child.signals("SigIgn") & bit_of(SIGINT)) == 0);
    CHECK((child.signals("SigIgn") & bit_of(SIGHUP)) != 0);
  }
}

TEST_CASE("given a start, when its process group is asked for, then it leads one only if told to") {
  SECTION("told to") {
    const echo child{setup{[](spawn_launcher& launcher) { return launcher.lead_group(); }}};
    CHECK(::getpgid(child.pid()) == child.pid());
  }
  SECTION("not told to") {
    const echo child;
    CHECK(::getpgid(child.pid()) == ::getpgrp());
  }
}
