// SPDX-License-Identifier: BSL-1.0

// What options say of the surroundings of workers, before there are any: what makes sense, and what
// comes of it.

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <coterie/pool_options.hpp>

#include "processes/surroundings.hpp"
#include "support/child.hpp"
#include "support/processes.hpp"
#include "support/signal.hpp"

namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;
using Catch::Matchers::Contains;
using coterie::cpu_pinning;
using coterie::environment;
using coterie::detail::ends_with_parent;
using coterie::detail::place;
using coterie::detail::surroundings;
using coterie::detail::surroundings_for;

using texts = std::vector<std::string>;

void check_refused(const coterie::pool_options& options, const std::string& why) {
  CHECK_THROWS_WITH(surroundings_for(options), Contains(why));
  CHECK_THROWS_AS(surroundings_for(options), std::invalid_argument);
}

std::string where(const surroundings& around) {
  return fs::read_symlink("/proc/self/fd/" + std::to_string(around.directory.get()));
}

std::vector<int> cpus_of(pid_t process) {
  std::vector<int> all;
  cpu_set_t set;
  CPU_ZERO(&set);
  ::sched_getaffinity(process, sizeof set, &set);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<std::size_t>(cpu), &set)) all.push_back(cpu);
  }
  return all;
}

/// A child for as long as it is wanted.
class idle_child {
 public:
  idle_child() : pid_{::fork()} {
    if (pid_ != 0) return;
    for (;;) ::pause();
  }
  idle_child(const idle_child&) = delete;
  idle_child& operator=(const idle_child&) = delete;
  ~idle_child() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

}  // namespace

// ---- variables --------------------------------------------------------------------------------

TEST_CASE("given variables, when they are set and taken away, then the last word counts for each") {
  environment variables{{"ONE", "1"}, {"TWO", "2"}};
  variables.set("THREE", "a=b").unset("FOUR").set("ONE", "").unset("TWO");
  CHECK(variables.changes() == texts{"THREE=a=b", "FOUR", "ONE=", "TWO"});
  variables.set("FOUR", "4").set("FOURTEEN", "14").unset("FOUR");
  CHECK(variables.changes() == texts{"THREE=a=b", "ONE=", "TWO", "FOURTEEN=14", "FOUR"});
}

TEST_CASE("given variables, when options name them, then workers are to have them") {
  CHECK(surroundings_for({.environment = environment{{"ONE", "1"}}}).environment == texts{"ONE=1"});
  CHECK(surroundings_for({}).environment.empty());
}

TEST_CASE("given a name that no variable has, when it is set or taken away, then it is refused") {
  const std::string name = GENERATE(as<std::string>{}, "", "=", "A=B", "A\0B"s, "COTERIE_WORKER");
  environment variables;
  CHECK_THROWS_AS(variables.set(name, "1"), std::invalid_argument);
  CHECK_THROWS_AS(variables.unset(name), std::invalid_argument);
  CHECK(variables.changes().empty());
}

TEST_CASE(
    "given a value with a zero byte, when it is set, then it is refused, and what was stays") {
  environment variables{{"ONE", "1"}};
  CHECK_THROWS_WITH(variables.set("ONE", "a\0b"s), Contains("\"ONE\" holds a zero byte"));
  CHECK(variables.changes() == texts{"ONE=1"});
}

// ---- directories ------------------------------------------------------------------------------

TEST_CASE("given no directory, when the program goes elsewhere, then workers begin where it was") {
  const test::directory folder;
  const auto before = fs::current_path();
  const auto around = surroundings_for({});
  fs::current_path(folder.file(""));
  CHECK(where(around) == before);
  fs::current_path(before);
}

TEST_CASE("given a directory, when it is renamed, then workers begin there all the same") {
  const test::directory folder;
  fs::create_directory(folder.file("old"));
  const auto around = surroundings_for({.working_directory = folder.file("old")});
  fs::rename(folder.file("old"), folder.file("new"));
  CHECK(where(around) == fs::canonical(folder.file("new")));
  CHECK((::fcntl(around.directory.get(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("given what is no directory, when workers are to begin there, then it is refused") {
  const test::directory folder;
  std::ofstream{folder.file("file")} << "no directory";
  check_refused({.working_directory = folder.file("missing")}, "missing");
  check_refused({.working_directory = folder.file("file")}, "Not a directory");
}

TEST_CASE(
    "given a directory that may not be entered, when workers are to begin there, then it is refused") {
  const test::directory folder;
  const std::string closed = folder.file("closed");
  fs::create_directory(closed);
  ::chmod(fs::path{closed}.parent_path().c_str(), 0755);
  ::chmod(closed.c_str(), 0600);
  CHECK(test::in_child([&] {
          constexpr uid_t nobody = 65534;
          // Root enters any.
          if (::geteuid() == 0 && (::chown(closed.c_str(), nobody, nobody) != 0 ||
                                   ::setgid(nobody) != 0 || ::setuid(nobody) != 0)) {
            return 1;
          }
          try {
            static_cast<void>(surroundings_for({.working_directory = closed}));
          } catch (const std::invalid_argument& problem) {
            return std::string{problem.what()}.find("Permission denied") != std::string::npos ? 0
                                                                                              : 2;
          }
          return 3;
        }) == 0);
  ::chmod(closed.c_str(), 0700);
}

// ---- what else there is -----------------------------------------------------------------------

TEST_CASE("given what becomes of subprocesses, when workers are tied, then it is as it was asked") {
  CHECK(surroundings_for({}).ends == ends_with_parent::process_group);
  CHECK(surroundings_for({.subprocesses = coterie::subprocess_end::by_itself}).ends ==
        ends_with_parent::worker);
}

TEST_CASE("given a niceness, when it is one of the system's, then it is taken, and else refused") {
  CHECK(surroundings_for({.nice = 0}).nice == 0);
  CHECK(surroundings_for({.nice = 19}).nice == 19);
  check_refused({.nice = -1}, "0 to 19");
  check_refused({.nice = 20}, "0 to 19");
}

TEST_CASE("given CPUs, when workers are to be pinned, then to those that this process may use") {
  const std::vector<int> allowed = cpus_of(0);
  CHECK(surroundings_for({}).cpus.empty());
  CHECK(surroundings_for({.cpus = cpu_pinning::none()}).cpus.empty());
  CHECK(surroundings_for({.cpus = cpu_pinning::automatic()}).cpus == allowed);
  const std::vector<int> twice{allowed.back(), allowed.front(), allowed.back()};
  CHECK(surroundings_for({.cpus = cpu_pinning::to(twice)}).cpus == twice);
  CHECK(surroundings_for({.cpus = cpu_pinning::to(twice[0], twice[1], twice[0])}).cpus == twice);
  check_refused({.cpus = cpu_pinning::to({})}, "at least one CPU");
  check_refused({.cpus = cpu_pinning::to({allowed.front(), -1})}, "names CPU -1");
  check_refused({.cpus = cpu_pinning::to({allowed.back() + 1})}, "which is not there");
  check_refused({.cpus = cpu_pinning::to({1 << 20})}, "which is not there");
}

TEST_CASE("given CPUs by rank, when workers are placed, then they begin anew after the last one") {
  const std::vector<int> allowed = cpus_of(0);
  surroundings around;
  around.cpus = {allowed.back(), allowed.front()};
  for (int rank = 0; rank < 5; ++rank) {
    const idle_child worker;
    place(worker.pid(), rank, around);
    CHECK(cpus_of(worker.pid()) == std::vector{around.cpus[static_cast<std::size_t>(rank % 2)]});
  }
  CHECK(cpus_of(0) == allowed);
}

TEST_CASE("given a CPU that was taken away, when a worker is placed, then that is said") {
  surroundings around;
  around.cpus = {4095};
  const idle_child worker;
  CHECK_THROWS_WITH(place(worker.pid(), 0, around), Contains("pin a worker to CPU 4095"));
}

TEST_CASE(
    "given a niceness, when a worker is placed, then it is that much nicer than this process") {
  const int more = GENERATE(0, 1, 19);
  // In a process that is nicer than others, too.
  const int less = GENERATE(0, 2);
  CHECK(test::in_child([&] {
          const int here = ::getpriority(PRIO_PROCESS, 0) + less;
          if (::setpriority(PRIO_PROCESS, 0, here) != 0) return 1;
          surroundings around;
          around.nice = more;
          const idle_child worker;
          place(worker.pid(), 0, around);
          const int there = ::getpriority(PRIO_PROCESS, static_cast<id_t>(worker.pid()));
          if (::getpriority(PRIO_PROCESS, 0) != here) return 2;
          return there == std::min(here + more, 19) ? 0 : 3;
        }) == 0);
}

TEST_CASE("given a worker that is gone already, when it is placed, then nothing happens") {
  surroundings around = surroundings_for({.nice = 1, .cpus = cpu_pinning::automatic()});
  const pid_t gone = ::fork();
  if (gone == 0) ::_exit(0);
  REQUIRE(::waitpid(gone, nullptr, 0) == gone);
  CHECK_NOTHROW(place(gone, 0, around));
}

TEST_CASE(
    "given outputs, when their names are relative, then they begin where the program is now") {
  const auto around = surroundings_for({.standard_output = coterie::output::to_file("some/file")});
  CHECK(around.standard_output.name() == fs::current_path() / "some/file");
  check_refused({.standard_error = coterie::output::to_file("")}, "needs the name of a file");
}
