// SPDX-License-Identifier: BSL-1.0

// The program around a pool: init, run, and what workers inherit from it.

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#include "support/expect.hpp"
#include "support/processes.hpp"
#include "support/program.hpp"
#include "support/run.hpp"
#include "support/shared_memory.hpp"
#include "support/signal.hpp"

namespace asio = boost::asio;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

int pid_in(const std::string& line) {
  return line.starts_with("pid ") ? std::atoi(line.c_str() + 4) : -1;
}

// A copy of the fixture, in a directory of its own, that may be replaced and deleted.
class copied_fixture {
 public:
  copied_fixture() { std::filesystem::copy_file(test::fixture_path(), path()); }
  [[nodiscard]] std::string path() const { return directory_.file("fixture"); }
  [[nodiscard]] std::string other_path() const { return directory_.file("other"); }

 private:
  test::directory directory_;
};

// Kills the only worker of the mode "commands", and has the next one answer.
void check_replacement(test::program& fixture, int pid) {
  ::kill(pid, SIGKILL);
  REQUIRE(test::eventually([&] {
    const auto workers = fixture.workers();
    return workers.size() == 1 && workers.front() != pid;
  }));
  fixture.say("again");
  const int next = pid_in(fixture.line());
  CHECK(next > 0);
  CHECK(next != pid);
}

std::string output_of(const std::string& command) {
  std::string text;
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return "popen failed";
  char bytes[4096];
  while (const std::size_t count = std::fread(bytes, 1, sizeof bytes, pipe))
    text.append(bytes, count);
  ::pclose(pipe);
  return text;
}

}  // namespace

// ---- init -------------------------------------------------------------------------------------

TEST_CASE("given a main without init, when it makes a pool, then it is told to call init") {
  test::program fixture{{"without_init"}};
  const std::string text = fixture.line();
  INFO(text);
  CHECK(contains(text, "coterie::init"));
  CHECK(contains(text, "main"));
  CHECK(fixture.exit_code() == 1);
}

TEST_CASE(
    "given a main that calls init in the parent only, when it makes a pool, no chain begins") {
  const test::directory directory;
  const std::string marks = directory.file("marks");
  test::program fixture{{"init_in_parent_only", marks}};
  const std::string text = fixture.line();
  INFO(text);
  CHECK(contains(text, "coterie::init"));
  CHECK(fixture.exit_code() == 1);
  // A few tries of two workers, each of which ended without starting another process.
  CHECK(test::marks_in(marks) <= 6);
  const std::string noise = fixture.rest_of_error();
  INFO(noise);
  CHECK(contains(noise, "coterie::init(argc, argv)"));
}

TEST_CASE("given a main that ends in workers before init, when a pool is made, then it says so") {
  const test::directory directory;
  const std::string marks = directory.file("marks");
  test::program fixture{{"workers_end_before_init", marks}};
  const std::string text = fixture.line();
  INFO(text);
  CHECK(contains(text, "coterie::init"));
  CHECK(contains(text, "exited with code 0"));
  CHECK(fixture.exit_code() == 1);
  CHECK(test::marks_in(marks) <= 6);
}

TEST_CASE(
    "given workers that fail before init, when a call is made, then it says how, and what to do") {
  const auto [how, end, advice] = GENERATE(table<std::string, std::string, std::string>({
      {"127", "exited with code 127", "dynamic loader"},
      {"abort", "was killed by SIGABRT", "before it reached coterie::init"},
  }));
  const test::directory directory;
  test::program fixture{{"workers_end_before_init", directory.file("marks"), how}};
  const std::string text = fixture.line();
  INFO(text);
  CHECK(contains(text, end));
  CHECK(contains(text, advice));
  CHECK(fixture.exit_code() == 1);
}

TEST_CASE(
    "given a worker, when a task makes a pool there, then the task fails with a clear error") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 1}};
    const auto nested = [] {
      asio::io_context loop;
      const coterie::pool inner{loop, {.processes = 1}};
    };
    const auto problem = co_await test::failure_of(pool.apply(nested));
    REQUIRE(problem);
    const auto text = test::as<coterie::error>(problem);
    INFO(text.what());
    CHECK(text.code() == coterie::errc::not_initialized);
    CHECK(contains(text.what(), "a task made a pool"));
    co_await test::becomes([&] { return pool.stats().workers_ready == 1; });
    CHECK(test::children().size() == 1);
  });
}

// ---- run --------------------------------------------------------------------------------------

TEST_CASE("given a coroutine without a value, when it is run, then the exit code is 0") {
  test::program fixture{{"run_void"}};
  CHECK(fixture.line() == "42");
  CHECK(fixture.exit_code() == 0);
  CHECK(fixture.rest_of_error().empty());
}

TEST_CASE(
    "given a coroutine with arguments and a value, when it is run, then that is the exit code") {
  test::program fixture{{"run_int", "an argument"}};
  CHECK(fixture.line() == "3an argument");
  CHECK(fixture.exit_code() == 42);
  CHECK(fixture.rest_of_error().empty());
}

TEST_CASE(
    "given a coroutine that throws, when it is run, then it is printed and the exit code is 1") {
  test::program fixture{{"run_throw"}};
  CHECK(fixture.exit_code() == 1);
  const std::string text = fixture.rest_of_error();
  INFO(text);
  CHECK(contains(text, "integration_fixture"));
  CHECK(contains(text, ": std::invalid_argument: what went wrong (item 0, in worker 0)"));
}

TEST_CASE("given a coroutine that throws a number, when it is run, then it is printed, too") {
  test::program fixture{{"run_throw_other"}};
  CHECK(fixture.exit_code() == 1);
  CHECK(contains(fixture.rest_of_error(), "no std::exception"));
}

TEST_CASE(
    "given a coroutine that leaves something pending, when it is run, then that is waited for") {
  test::program fixture{{"run_detached"}};
  CHECK(fixture.exit_code() == 0);
  CHECK(fixture.rest_of_output() == "the last\n");
}

// ---- what workers inherit ---------------------------------------------------------------------

TEST_CASE("given open descriptors in the parent, when workers start, then they have none of them") {
  // One that is meant to be inherited, and stays below those that the pool opens.
  const int inheritable = ::open("/dev/null", O_RDONLY);
  REQUIRE(::fcntl(inheritable, F_DUPFD, 100) == 100);
  test::run([]() -> asio::awaitable<void> {
    coterie::pool first{co_await asio::this_coro::executor, {.processes = 1}};
    co_await first.apply(test::task_of_nothing);
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 3}};
    for (int round = 0; round < 6; ++round) {
      const auto open = co_await pool.apply(test::descriptors);
      std::string text;
      for (const int each : open) text += " " + std::to_string(each);
      INFO(text);
      // The standard three, the link and the lifeline.
      // The last of them counts what has begun.
      CHECK(open.size() == (test::over_sockets() ? 6 : 5));
      CHECK(open.at(3) == 3);
    }
  });
  ::close(inheritable);
  ::close(100);
}

TEST_CASE("given a worker, when a task reads its standard input, then it is at its end") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 1}};
    const auto input = [] { return std::filesystem::read_symlink("/proc/self/fd/0"); };
    co_await test::gives(pool.apply(input), "/dev/null");
    const auto read = [] {
      char byte = 0;
      return static_cast<int>(::read(STDIN_FILENO, &byte, 1));
    };
    co_await test::gives(pool.apply(read), 0);
  });
}

TEST_CASE(
    "given a task that starts a program, when it looks, then it finds nothing of the worker") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 1}};
    const std::string environment = co_await pool.apply(output_of, "env");
    CHECK(!contains(environment, "COTERIE_WORKER"));
    CHECK(contains(environment, "PATH="));
    const std::string descriptors = co_await pool.apply(output_of, "ls -l /proc/self/fd");
    INFO(descriptors);
    CHECK(!contains(descriptors, "socket:"));
    CHECK(!contains(descriptors, " 4 -> pipe:"));
  });
}

TEST_CASE("given a task that starts a program with a pool, when it runs, then that pool works") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 2}};
    const std::vector<std::string> given(4, test::fixture_path() + " run_void");
    const auto printed = co_await pool.map(output_of, given);
    CHECK(printed == std::vector<std::string>(4, "42\n"));
  });
}

TEST_CASE(
    "given signals that the parent blocks or ignores, when workers start, they have their own") {
  sigset_t mask;
  sigset_t old;
  ::sigemptyset(&mask);
  for (const int each : {SIGINT, SIGTERM, SIGUSR1, SIGCHLD}) ::sigaddset(&mask, each);
  ::sigprocmask(SIG_BLOCK, &mask, &old);
  const auto old_pipe = std::signal(SIGPIPE, SIG_IGN);
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 1}};
    const auto blocked = [] {
      std::vector<int> all;
      sigset_t current;
      ::sigprocmask(SIG_BLOCK, nullptr, &current);
      for (int each = 1; each < 32; ++each) {
        if (::sigismember(&current, each) == 1) all.push_back(each);
      }
      return all;
    };
    co_await test::gives(pool.apply(blocked), std::vector<int>{});
    const auto broken_pipe = [] {
      struct sigaction action{};
      ::sigaction(SIGPIPE, nullptr, &action);
      return action.sa_handler == SIG_DFL;
    };
    co_await test::gives(pool.apply(broken_pipe), true);
  });
  std::signal(SIGPIPE, old_pipe);
  ::sigprocmask(SIG_SETMASK, &old, nullptr);
}

TEST_CASE("given a worker, when its name is looked up, then it is the program's") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 1}};
    const auto name = [] {
      std::string text;
      std::getline(std::ifstream{"/proc/self/comm"} >> std::ws, text);
      return text;
    };
    const auto own = name();
    co_await test::gives(pool.apply(name), own);
  });
}

// ---- the program on disk ----------------------------------------------------------------------

TEST_CASE(
    "given a program that was deleted while it runs, when a worker dies, another is started") {
  const copied_fixture copy;
  test::program fixture{{"commands"}, copy.path()};
  const int pid = pid_in(fixture.line());
  REQUIRE(pid > 0);
  std::filesystem::remove(copy.path());
  check_replacement(fixture, pid);
}

TEST_CASE(
    "given a program that was replaced while it runs, when a worker dies, another is started") {
  const copied_fixture copy;
  test::program fixture{{"commands"}, copy.path()};
  const int pid = pid_in(fixture.line());
  REQUIRE(pid > 0);
  // As an installer does it: another file takes over the name.
  std::filesystem::copy_file("/bin/true", copy.other_path());
  std::filesystem::rename(copy.other_path(), copy.path());
  check_replacement(fixture, pid);
}

// ---- output -----------------------------------------------------------------------------------

TEST_CASE("given a task that has printed and is done, when its worker is killed, nothing is lost") {
  test::program fixture{{"prints"}};
  CHECK(fixture.exit_code() == 0);
  CHECK(fixture.rest_of_output() ==
        "printed 0\nstreamed 0\nprinted 1\nstreamed 1\nprinted 2\nstreamed 2\n");
}

TEST_CASE("given a program without standard output, when its workers print, then nothing waits") {
  const std::string way = GENERATE("prints", "prints_tagged");
  test::program fixture{{"-c", "exec \"$0\" \"$1\" >&-", test::fixture_path(), way}, "/bin/sh"};
  CHECK(fixture.exit_code() == 0);
  CHECK(fixture.rest_of_output().empty());
}

TEST_CASE("given tagged lines that are not read, when workers print, then the program lives") {
  test::program fixture{
      {"-c", "{ \"$0\" prints_tagged; echo ended $? >&2; } | :", test::fixture_path()}, "/bin/sh"};
  CHECK(fixture.exit_code() == 0);
  CHECK(fixture.rest_of_error().find("ended 0") != std::string::npos);
}

TEST_CASE(
    "given a result that arrived from mid-chunk, when its worker is killed, its print is there") {
  test::program fixture{{"prints_in_a_chunk"}};
  CHECK(fixture.exit_code() == 0);
  CHECK(fixture.rest_of_output() == "printed 0\nstreamed 0\n");
}

TEST_CASE("given a worker that crashes, when a task before it had printed, then nothing is lost") {
  const test::directory directory;
  const std::string file = directory.file("output");
  test::run([&]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 1}};
    const auto redirect = [](const std::string& where) {
      (void)std::freopen(where.c_str(), "w", stdout);
      std::printf("said before the end\n");
    };
    co_await pool.apply(redirect, file);
    const auto problem = co_await test::failure_of(pool.apply([] { ::_exit(3); }));
    CHECK(problem);
  });
  std::string text;
  std::getline(std::ifstream{file}, text);
  CHECK(text == "said before the end");
}
