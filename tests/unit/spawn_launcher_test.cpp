// SPDX-License-Identifier: BSL-1.0

// A launcher of Boost.Process's concept, without a pool: what its children have and have not, what it says when
// it cannot start one, and that it leaves nothing behind.

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
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

#include "processes/spawn_launcher.hpp"
#include "support/child.hpp"
#include "support/processes.hpp"
#include "support/refused_calls.hpp"
#include "support/signal.hpp"

namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace v2 = boost::process::v2;
using coterie::detail::spawn_launcher;

constexpr const char* cat = "/bin/cat";

/// An initializer made of a function.
template <class Function>
struct setup {
  Function function;

  boost::system::error_code on_setup(spawn_launcher& launcher, const spawn_launcher::path&,
                                     const char* const*) const {
    return {function(launcher), boost::system::system_category()};
  }
};
template <class Function>
setup(Function) -> setup<Function>;

template <class... Initializers>
spawn_launcher::process launch(asio::io_context& loop, boost::system::error_code& failure,
                               const std::string& program, Initializers&&... initializers) {
  return spawn_launcher{}(loop.get_executor(), failure, program, std::vector<std::string>{},
                          std::forward<Initializers>(initializers)...);
}

/// `cat`, which answers each line by the same one, and ends with its input.
class echo {
 public:
  template <class... Initializers>
  explicit echo(Initializers&&... initializers)
      : process_{launch(loop_, failure_, cat, v2::process_stdio{to_, from_, {}},
                        std::forward<Initializers>(initializers)...)} {
    REQUIRE_FALSE(failure_);
    // Once it has answered, it has loaded what it needs, and opens no more.
    CHECK(answer_to("begin\n") == "begin\n");
  }

  [[nodiscard]] pid_t pid() const { return process_.id(); }

  std::string answer_to(const std::string& line) {
    asio::write(to_, asio::buffer(line));
    std::string text;
    asio::read_until(from_, asio::dynamic_buffer(text), '\n');
    return text;
  }

  [[nodiscard]] std::string said_of_it(const std::string& file) const {
    std::ifstream from{"/proc/" + std::to_string(pid()) + "/" + file};
    return {std::istreambuf_iterator<char>{from}, {}};
  }
  [[nodiscard]] std::vector<int> descriptors() const {
    return test::numbers_in(("/proc/" + std::to_string(pid()) + "/fd").c_str());
  }
  [[nodiscard]] fs::path descriptor(int number) const {
    return fs::read_symlink("/proc/" + std::to_string(pid()) + "/fd/" + std::to_string(number));
  }
  [[nodiscard]] fs::path directory() const {
    return fs::read_symlink("/proc/" + std::to_string(pid()) + "/cwd");
  }
  /// Bit n - 1 stands for the signal n.
  [[nodiscard]] unsigned long long signals(const std::string& which) const {
    const std::string all = said_of_it("status");
    return std::stoull(all.substr(all.find(which + ":") + which.size() + 1), nullptr, 16);
  }

 private:
  asio::io_context loop_{1};
  asio::writable_pipe to_{loop_};
  asio::readable_pipe from_{loop_};
  boost::system::error_code failure_;
  spawn_launcher::process process_;
};

constexpr unsigned long long bit_of(int signal) {
  return 1ULL << static_cast<unsigned>(signal - 1);
}

/// What `cat` prints of a file, or its complaint.
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

TEST_CASE("given several initializers, when one fails, then none behind it is called") {
  bool called = false;
  CHECK(failure_of(cat, setup{[](spawn_launcher&) { return EDOM; }}, setup{[&](spawn_launcher&) {
                     return static_cast<int>(called = true);
                   }}) == EDOM);
  CHECK_FALSE(called);
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
