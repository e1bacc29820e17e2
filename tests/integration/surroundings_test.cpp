// SPDX-License-Identifier: BSL-1.0

// What workers find around them: variables, a directory, where their output goes, CPUs; and what
// becomes of the programs that tasks start.

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#include "support/expect.hpp"
#include "support/processes.hpp"
#include "support/run.hpp"
#include "support/signal.hpp"

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

std::string variable(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  return value != nullptr ? value : "(none)";
}

std::string directory_of_worker() { return fs::current_path().string(); }

void print(const std::string& text) {
  std::printf("%s from %d\n", text.c_str(), coterie::this_worker::rank());
  std::fprintf(stderr, "error of %d\n", coterie::this_worker::rank());
}

int end_worker(int code) { ::_exit(code); }

// As the program itself does it: beside the buffer of a test's reports.
void write_line(std::string text) {
  text += '\n';
  CHECK(::write(STDOUT_FILENO, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

std::string text_in(const std::string& file) {
  std::ifstream in{file};
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// While it lives, a stream of this process ends in a file.
class redirected {
 public:
  redirected(int stream, const std::string& file) : stream_{stream}, before_{::dup(stream)} {
    std::fflush(nullptr);
    const int to = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ::dup2(to, stream);
    ::close(to);
  }
  redirected(const redirected&) = delete;
  redirected& operator=(const redirected&) = delete;
  ~redirected() {
    std::fflush(nullptr);
    ::dup2(before_, stream_);
    ::close(before_);
  }

 private:
  int stream_;
  int before_;
};

struct streams {
  std::string output;
  std::string error;
};

// What this process and its workers write while `work` runs.
streams streams_during(const test::directory& folder, const std::function<void()>& work) {
  {
    const redirected output{STDOUT_FILENO, folder.file("output")};
    const redirected error{STDERR_FILENO, folder.file("error")};
    work();
  }
  return {text_in(folder.file("output")), text_in(folder.file("error"))};
}

std::function<void()> in_a_loop(std::function<asio::awaitable<void>()> work) {
  return [work = std::move(work)] { test::run(work); };
}

std::vector<int> cpus_here() {
  cpu_set_t set;
  CPU_ZERO(&set);
  ::sched_getaffinity(0, sizeof set, &set);
  std::vector<int> all;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<std::size_t>(cpu), &set)) all.push_back(cpu);
  }
  return all;
}

// Starts a program that lives long, tells its number, and waits for it or not.
int start_program(const std::string& file, const std::string& told, bool and_wait) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl("/bin/sleep", "sleep", "1000", static_cast<char*>(nullptr));
    ::_exit(127);
  }
  std::ofstream{file} << child << std::flush;
  test::give_signal(told);
  if (and_wait) ::waitpid(child, nullptr, 0);
  return child;
}

/// A program that a task has started in the pool.
struct started_program {
  explicit started_program(const asio::any_io_executor& executor) : told{executor} {}

  asio::awaitable<pid_t> pid() {
    co_await told.arrived();
    pid_t number = 0;
    std::ifstream{file} >> number;
    REQUIRE(number > 0);
    co_return number;
  }

  test::directory folder;
  std::string file = folder.file("pid");
  test::signal told;
};

bool runs(pid_t process) { return test::status_of(process).state != 0 && !test::gone(process); }

/// Bits of the signals that a process ignores, and of those that it blocks.
std::string signals_of(pid_t process, const std::string& which) {
  std::ifstream status{"/proc/" + std::to_string(process) + "/status"};
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(which)) return line.substr(which.size() + 1);
  }
  return "?";
}

}  // namespace

TEST_CASE("given variables, when workers start, then they have these beside the program's") {
  ::setenv("COTERIE_TEST_KEPT", "kept", 1);
  ::setenv("COTERIE_TEST_CHANGED", "old", 1);
  ::setenv("COTERIE_TEST_TAKEN", "there", 1);
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor,
                       {.processes = 1,
                        .environment = coterie::environment{}
                                           .set("COTERIE_TEST_NEW", "a=b")
                                           .set("COTERIE_TEST_CHANGED", "first")
                                           .set("COTERIE_TEST_CHANGED", "new")
                                           .unset("COTERIE_TEST_TAKEN")}};
    co_await test::gives(pool.apply(variable, "COTERIE_TEST_NEW"), std::string{"a=b"});
    co_await test::gives(pool.apply(variable, "COTERIE_TEST_CHANGED"), std::string{"new"});
    co_await test::gives(pool.apply(variable, "COTERIE_TEST_TAKEN"), std::string{"(none)"});
    co_await test::gives(pool.apply(variable, "COTERIE_TEST_KEPT"), std::string{"kept"});
    co_await test::gives(pool.apply(variable, "COTERIE_WORKER"), std::string{"(none)"});
  });
}

TEST_CASE("given variables that cannot be, when they are named, then they are refused") {
  coterie::environment variables;
  for (const std::string name : {"", "A=B", "COTERIE_WORKER"}) {
    CHECK_THROWS_AS(variables.set(name, "1"), std::invalid_argument);
    CHECK_THROWS_AS(variables.unset(name), std::invalid_argument);
  }
  CHECK_THROWS_AS(variables.set("A", std::string{"a\0b", 3}), std::invalid_argument);
  CHECK(variables.changes().empty());
}

TEST_CASE("given a working directory, when workers start, then they begin there, late ones too") {
  const auto home = fs::current_path();
  const test::directory other;
  const auto elsewhere = fs::canonical(fs::path{other.file("x")}.parent_path());
  const bool given = GENERATE(true, false);
  INFO("a directory is given: " << given);
  test::run([&]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    coterie::pool_options options{.processes = 1};
    if (given) options.working_directory = elsewhere;
    coterie::pool pool{executor, options};
    const std::string expected = (given ? elsewhere : home).string();
    co_await test::gives(pool.apply(directory_of_worker), expected);
    // The program goes elsewhere, and the worker is replaced.
    fs::current_path("/");
    co_await test::fails_with(pool.apply(end_worker, 3), coterie::errc::worker_crashed);
    co_await test::gives(pool.apply(directory_of_worker), expected);
  });
  fs::current_path(home);
}

TEST_CASE("given output to files, when tasks print, then each worker has its own") {
  const test::directory folder;
  test::run([&]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor,
                       {.processes = 2,
                        .standard_output = coterie::output::to_file(folder.file("out-{rank}")),
                        .standard_error = coterie::output::to_file(folder.file("all"))}};
    co_await test::becomes([&] { return pool.stats().workers_ready == 2; });
    const std::vector<std::string> texts(20, "text");
    co_await pool.map(print, texts, {.chunksize = 1});
    pool.close();
    co_await pool.join();
  });
  const std::string first = text_in(folder.file("out-0"));
  const std::string second = text_in(folder.file("out-1"));
  CHECK(first.find("from 1") == std::string::npos);
  CHECK(second.find("from 0") == std::string::npos);
  CHECK(first.size() + second.size() == 20 * std::string{"text from 0\n"}.size());
  CHECK(text_in(folder.file("all")).size() == 20 * std::string{"error of 0\n"}.size());
}

TEST_CASE("given output to a file that cannot be, when a call is made, then it says which") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{
        co_await asio::this_coro::executor,
        {.processes = 1, .standard_output = coterie::output::to_file("/nowhere/at-all/{rank}")}};
    const auto error =
        test::as<coterie::start_failed>(co_await test::failure_of(pool.apply(print, "")));
    CHECK(std::string{error.reason()}.find("/nowhere/at-all/0") != std::string::npos);
    CHECK(std::string{error.reason()}.find("standard output") != std::string::npos);
  });
}

TEST_CASE(
    "given tagged lines, when tasks print, then whole lines come, and tell from which worker") {
  const test::directory folder;
  const auto [output, error] = streams_during(
      folder, in_a_loop([]() -> asio::awaitable<void> {
        coterie::pool pool{
            co_await asio::this_coro::executor,
            {.processes = 2,
             .standard_output = coterie::output::tagged_lines(),
             .standard_error = coterie::output::tagged_lines("worker {rank} says: ")}};
        co_await test::becomes([&] { return pool.stats().workers_ready == 2; });
        const std::vector<std::string> texts(20, "text");
        co_await pool.map(print, texts, {.chunksize = 1});
        pool.close();
        co_await pool.join();
      }));
  const auto by_worker = [](const std::string& text, const std::string& first,
                            const std::string& second) {
    std::istringstream in{text};
    int lines = 0;
    for (std::string line; std::getline(in, line); ++lines)
      CHECK((line == first || line == second));
    return lines;
  };
  CHECK(by_worker(output, "[0] text from 0", "[1] text from 1") == 20);
  CHECK(by_worker(error, "worker 0 says: error of 0", "worker 1 says: error of 1") == 20);
}

TEST_CASE(
    "given tagged lines, when a worker crashes, then its last words are out before the error") {
  const test::directory folder;
  const auto [output, error] = streams_during(
      folder, in_a_loop([]() -> asio::awaitable<void> {
        coterie::pool pool{co_await asio::this_coro::executor,
                           {.processes = 1, .standard_output = coterie::output::tagged_lines()}};
        const auto fall = [] {
          std::puts("my last words");
          std::abort();
        };
        co_await test::fails_with(pool.apply(fall), coterie::errc::worker_crashed);
        const auto fall_in_a_line = [] {
          std::fputs("and mine", stdout);
          std::fflush(stdout);
          std::abort();
        };
        co_await test::fails_with(pool.apply(fall_in_a_line), coterie::errc::worker_crashed);
        write_line("it crashed");
        co_await pool.apply(print, "next");
        pool.terminate();
        co_await pool.join();
        write_line("joined");
      }));
  CHECK(output == "[0] my last words\n[0] and mine\nit crashed\n[0] next from 0\njoined\n");
}

TEST_CASE("given tagged lines, when a task prints more than a pipe holds, then all of it comes") {
  const test::directory folder;
  constexpr int lines = 50'000;
  const auto [output, error] = streams_during(
      folder, in_a_loop([]() -> asio::awaitable<void> {
        coterie::pool pool{co_await asio::this_coro::executor,
                           {.processes = 1, .standard_output = coterie::output::tagged_lines("")}};
        co_await pool.apply([] {
          for (int line = 0; line < lines; ++line) std::printf("%d\n", line);
        });
        pool.close();
        co_await pool.join();
      }));
  std::string expected;
  for (int line = 0; line < lines; ++line) expected += std::to_string(line) + "\n";
  CHECK((output == expected));
}

TEST_CASE("given a large pipe, when a worker that has filled it is killed, then all lines come") {
  const test::directory folder;
  const auto [output, error] = streams_during(
      folder, in_a_loop([]() -> asio::awaitable<void> {
        coterie::pool pool{co_await asio::this_coro::executor,
                           {.processes = 1, .standard_output = coterie::output::tagged_lines("")}};
        const auto fill = [](int lines) {
          ::fcntl(STDOUT_FILENO, F_SETPIPE_SZ, 1 << 20);
          for (int line = 0; line < lines; ++line) std::puts("0123456789012345678901234567890");
          ::raise(SIGKILL);
        };
        co_await test::fails_with(pool.apply(fill, 10'000), coterie::errc::worker_crashed);
      }));
  CHECK(output.size() == std::size_t{32} * 10'000);
}

TEST_CASE("given a stream that throws when it is full, when tasks print, then they give values") {
  test::run([]() -> asio::awaitable<void> {
    const auto throw_when_full = [] {
      std::ios::sync_with_stdio(false);
      std::cout.exceptions(std::ios::badbit | std::ios::failbit);
    };
    coterie::pool pool{co_await asio::this_coro::executor,
                       {.processes = 1,
                        .initializer = throw_when_full,
                        .standard_output = coterie::output::to_file("/dev/full")}};
    const auto print_and_double = [](int item) {
      std::cout.clear();
      std::cout << item;
      return 2 * item;
    };
    const auto print_and_name = [](int item) {
      std::cout.clear();
      std::cout << item;
      return std::to_string(item);
    };
    const std::vector<int> items{1, 2, 3};
    const std::vector<int> doubled{2, 4, 6};
    const std::vector<std::string> names{"1", "2", "3"};
    co_await test::gives(pool.map(print_and_double, items), doubled);
    co_await test::gives(pool.map(print_and_name, items), names);
    CHECK(pool.stats().workers_crashed == 0);
  });
}

TEST_CASE("given tagged lines, when a task closes its output, then the pool goes on") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor,
                       {.processes = 1, .standard_output = coterie::output::tagged_lines()}};
    co_await pool.apply([] { ::close(STDOUT_FILENO); });
    const std::vector<int> items(1000, 1);
    const auto same = [](int item) { return item; };
    co_await test::gives(pool.map(same, items), items);
    CHECK(pool.stats().workers_crashed == 0);
  });
}

TEST_CASE("given tagged lines, when the event loop is destroyed, then what was printed is out") {
  const test::directory folder;
  const auto [output, error] = streams_during(folder, [] {
    asio::io_context loop;
    coterie::pool pool{loop, {.processes = 1, .standard_output = coterie::output::tagged_lines()}};
    auto printed = pool.apply(print, "text", asio::use_future);
    while (printed.wait_for(0s) != std::future_status::ready) loop.run_one();
  });
  CHECK(output == "[0] text from 0\n");
}

TEST_CASE("given output that is discarded, when tasks print, then nothing is seen of it") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor,
                       {.processes = 1,
                        .standard_output = coterie::output::discarded(),
                        .standard_error = coterie::output::discarded()}};
    co_await pool.apply(print, "not to be seen");
    const auto target = [](int descriptor) {
      return fs::read_symlink("/proc/self/fd/" + std::to_string(descriptor)).string();
    };
    co_await test::gives(pool.apply(target, 1), std::string{"/dev/null"});
    co_await test::gives(pool.apply(target, 2), std::string{"/dev/null"});
  });
}

TEST_CASE("given a nicer pool, when workers run, then they are as nice as was said") {
  const int here = ::getpriority(PRIO_PROCESS, 0);
  test::run([here]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 1, .nice = 5}};
    const auto niceness = [] { return ::getpriority(PRIO_PROCESS, 0); };
    co_await test::gives(pool.apply(niceness), std::min(here + 5, 19));
  });
}

TEST_CASE("given workers that are pinned, when they run, then each has its CPU") {
  const auto allowed = cpus_here();
  test::run([&]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    const auto where = [](int) { return std::pair{coterie::this_worker::rank(), cpus_here()}; };
    const std::vector<int> calls(20);
    {
      coterie::pool pool{executor, {.processes = 3, .cpus = coterie::cpu_pinning::automatic()}};
      for (const auto& [rank, cpus] : co_await pool.map(where, calls, {.chunksize = 1})) {
        CHECK(cpus == std::vector{allowed[static_cast<std::size_t>(rank) % allowed.size()]});
      }
    }
    const std::vector<int> last{allowed.back()};
    coterie::pool pool{executor, {.processes = 2, .cpus = coterie::cpu_pinning::to(last)}};
    for (const auto& [rank, cpus] : co_await pool.map(where, calls)) CHECK(cpus == last);
  });
}

TEST_CASE("given surroundings that cannot be, when a pool is made, then it is refused") {
  asio::io_context loop;
  const auto refuses = [&](const coterie::pool_options& options) {
    CHECK_THROWS_AS((coterie::pool{loop, options}), std::invalid_argument);
  };
  refuses({.working_directory = "/nowhere/at/all"});
  refuses({.standard_output = coterie::output::to_file("")});
  refuses({.nice = -1});
  refuses({.nice = 20});
  refuses({.cpus = coterie::cpu_pinning::to({})});
  refuses({.cpus = coterie::cpu_pinning::to({100000})});
}

// ---- programs that tasks start ----------------------------------------------------------------

TEST_CASE("given a program that a task started, when its worker ends, then it ends as well") {
  enum class ending { leaves, killed, cancelled, terminated, destroyed };
  const auto how = GENERATE(ending::leaves, ending::killed, ending::cancelled, ending::terminated,
                            ending::destroyed);
  INFO("ending " << static_cast<int>(how));
  test::run([how]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    started_program program{executor};
    pid_t process = 0;
    {
      coterie::pool pool{executor, {.processes = 1}};
      auto pending =
          pool.apply_async(start_program, program.file, program.told.path(), how != ending::leaves);
      process = co_await program.pid();
      CHECK(runs(process));
      switch (how) {
        case ending::leaves:
          co_await pending.wait();
          CHECK(runs(process));
          pool.close();
          co_await pool.join();
          break;
        case ending::killed:
          ::kill(test::children().front(), SIGKILL);
          co_await pending.wait();
          break;
        case ending::cancelled:
          pending.cancel();
          break;
        case ending::terminated:
          pool.terminate();
          co_await pool.join();
          break;
        case ending::destroyed:
          break;
      }
    }
    CHECK(test::eventually([&] { return !runs(process); }));
  });
}

TEST_CASE("given a pool that leaves programs alone, when a worker ends, then its program goes on") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    started_program program{executor};
    pid_t process = 0;
    {
      coterie::pool pool{executor,
                         {.processes = 1, .subprocesses = coterie::subprocess_end::by_itself}};
      auto pending = pool.apply_async(start_program, program.file, program.told.path(), false);
      process = co_await program.pid();
      co_await pending.wait();
      pool.close();
      co_await pool.join();
    }
    CHECK(runs(process));
    ::kill(process, SIGKILL);
  });
}

TEST_CASE("given a program that a task started, when it runs, then it treats signals as usual") {
  struct sigaction ignore{};
  ignore.sa_handler = SIG_IGN;
  struct sigaction before{};
  ::sigaction(SIGINT, &ignore, &before);
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    started_program program{executor};
    coterie::pool pool{executor, {.processes = 1}};
    auto pending = pool.apply_async(start_program, program.file, program.told.path(), true);
    const pid_t process = co_await program.pid();
    const auto none = [](const std::string& bits) {
      return std::stoull(bits, nullptr, 16) & ((1ULL << (SIGINT - 1)) | (1ULL << (SIGTERM - 1)) |
                                               (1ULL << (SIGPIPE - 1)) | (1ULL << (SIGCHLD - 1)));
    };
    CHECK(none(signals_of(process, "SigIgn:")) == 0);
    CHECK(none(signals_of(process, "SigBlk:")) == 0);
  });
  ::sigaction(SIGINT, &before, nullptr);
}

TEST_CASE("given a thread that started a worker, when it ends, then no task is interrupted") {
  asio::io_context loop;
  coterie::pool pool{loop, {.processes = 1}};
  const test::directory folder;
  const auto left_of_sleep = [](const std::string& marks) {
    test::leave_mark(marks);
    // The rest of the time, if a signal ends it before.
    return static_cast<int>(::sleep(1));
  };
  auto pending = pool.apply_async(left_of_sleep, folder.file("marks"));
  std::thread first{[&] {
    while (test::marks_in(folder.file("marks")) == 0) loop.run_one_for(10ms);
  }};
  first.join();
  int left = -1;
  asio::co_spawn(
      loop,
      [&]() -> asio::awaitable<void> {
        left = co_await pending.get();
        pool.terminate();
      },
      asio::detached);
  loop.run_for(test::deadline);
  CHECK(left == 0);
}
