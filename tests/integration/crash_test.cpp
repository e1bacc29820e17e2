// SPDX-License-Identifier: BSL-1.0

// Workers that die, and workers that lie.

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <optional>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#include "support/expect.hpp"
#include "support/processes.hpp"
#include "support/run.hpp"
#include "support/shared_memory.hpp"
#include "support/signal.hpp"

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

// A worker that dies on purpose need not write its memory to a file.
[[maybe_unused]] const bool no_core_files = [] {
  const rlimit none{0, 0};
  return ::setrlimit(RLIMIT_CORE, &none) == 0;
}();

int twice(int value) { return 2 * value; }
int own_pid() { return ::getpid(); }

std::vector<int> numbers(int count) {
  std::vector<int> all;
  for (int each = 0; each < count; ++each) all.push_back(each);
  return all;
}

void die_by(int signal) {
  // Sanitizers have handlers of their own, which end the process by an exit code.
  std::signal(signal, SIG_DFL);
  ::raise(signal);
}

// For ever, but the compiler need not know.
int deeper(const volatile char* above, const volatile bool& on) {
  volatile char here[4096] = {};
  here[0] = static_cast<char>(above[0] + 1);
  const int below = on ? deeper(here, on) : 0;
  return below + here[1];
}

enum class death { segv, abort, kill, bus, underscore_exit, exit, terminate, overflow, jump };

int die(death how, int) {
  switch (how) {
    case death::segv:
      die_by(SIGSEGV);
      break;
    case death::abort:
      die_by(SIGABRT);
      break;
    case death::kill:
      die_by(SIGKILL);
      break;
    case death::bus:
      die_by(SIGBUS);
      break;
    case death::underscore_exit:
      ::_exit(3);
    case death::exit:
      std::exit(0);
    case death::terminate:
      ::close(STDERR_FILENO);  // its last words are not this test's output
      std::terminate();
    case death::overflow: {
      std::signal(SIGSEGV, SIG_DFL);
      const volatile char start[2] = {};
      const volatile bool on = true;
      return deeper(start, on);
    }
    case death::jump:
      ::_exit(255);
  }
  return 0;
}

int die_alone(death how) { return die(how, 0); }

int die_at(int unlucky, int item) {
  if (item == unlucky) die_by(SIGKILL);
  return 2 * item;
}

// Every 57th item is the end of its worker. Each that begins writes a byte more into the file.
int tally_and_die(const std::string& file, int item) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const auto written = ::write(descriptor, &item, sizeof item);
  ::close(descriptor);
  if (written != sizeof item) throw std::runtime_error{"the tally cannot be written"};
  if (item % 57 == 56) die_by(SIGKILL);
  return 2 * item;
}

std::multiset<int> tallied(const std::string& file) {
  std::ifstream in{file, std::ios::binary};
  std::multiset<int> all;
  for (int item = 0; in.read(reinterpret_cast<char*>(&item), sizeof item);) all.insert(item);
  return all;
}

// Tells the test where it runs, and stays there until it is killed.
int hang(const std::string& begun) {
  test::give_signal(begun);
  for (;;) ::pause();
}

asio::awaitable<void> all_ready(coterie::pool& pool) {
  co_await test::becomes([&] { return pool.stats().workers_ready == pool.size(); });
}

// The pool is none the worse for what happened: every rank has a worker, no zombie is left, and
// each of a few calls is answered.
asio::awaitable<void> still_well(coterie::pool& pool) {
  co_await all_ready(pool);
  CHECK(test::children().size() == static_cast<std::size_t>(pool.size()));
  auto values = co_await pool.map(twice, numbers(50), {.chunksize = 1});
  CHECK(values.size() == 50);
  CHECK(values.back() == 98);
  CHECK(pool.stats().jobs_pending == 0);
}

// After the last kill: a signal that is still on its way may cost one item more for each worker.
asio::awaitable<void> news_has_come(coterie::pool& pool) {
  for (int left = pool.size();; --left) {
    const auto problem = co_await test::failure_of(pool.map(twice, numbers(20), {.chunksize = 1}));
    if (!problem) co_return;
    REQUIRE(left > 0);
  }
}

}  // namespace

// ---- a task ends its worker -------------------------------------------------------------------

TEST_CASE("given a task that ends its process, when it is called, then the error says how") {
  struct expectation {
    death how;
    std::optional<int> signal;
    std::optional<int> exit_code;
    std::string text;
  };
  const auto before = test::held_at_rest();
  const auto expected = GENERATE(expectation{death::segv, SIGSEGV, {}, "SIGSEGV"},
                                 expectation{death::abort, SIGABRT, {}, "SIGABRT"},
                                 expectation{death::kill, SIGKILL, {}, "SIGKILL"},
                                 expectation{death::bus, SIGBUS, {}, "SIGBUS"},
                                 expectation{death::underscore_exit, {}, 3, "exited with code 3"},
                                 expectation{death::exit, {}, 0, "exited with code 0"},
                                 expectation{death::terminate, SIGABRT, {}, "SIGABRT"},
                                 expectation{death::overflow, SIGSEGV, {}, "SIGSEGV"},
                                 expectation{death::jump, {}, 255, "exited with code 255"});
  INFO(expected.text);
  test::run([&]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 1}};
    const int pid = co_await pool.apply(own_pid);
    const auto problem = test::as<coterie::worker_crashed>(
        co_await test::failure_of(pool.apply(die_alone, expected.how)));
    CHECK(problem.code() == coterie::errc::worker_crashed);
    CHECK(problem.signal() == expected.signal);
    CHECK(problem.exit_code() == expected.exit_code);
    CHECK(problem.rank() == 0);
    CHECK(problem.pid() == pid);
    CHECK(problem.item() == 0);
    CHECK(std::string{problem.what()}.find(expected.text) != std::string::npos);
    CHECK(std::string{problem.what()}.find(std::to_string(pid)) != std::string::npos);

    const int next_pid = co_await pool.apply(own_pid);
    CHECK(next_pid != pid);
    CHECK(pool.stats().workers_crashed == 1);
    CHECK(pool.stats().workers_started == 2);
    co_await still_well(pool);
  });
  CHECK(test::held_now() == before);
}

TEST_CASE("given one item that kills its worker, when many are mapped, then only that one fails") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 4}};
    const auto task = coterie::bind(die_at, 37);
    auto outcomes = co_await pool.map_settled(task, numbers(100), {.chunksize = 1});
    REQUIRE(outcomes.size() == 100);
    for (int item = 0; item < 100; ++item) {
      const auto& outcome = outcomes[static_cast<std::size_t>(item)];
      INFO("item " << item);
      if (item == 37) {
        REQUIRE(outcome.has_error());
        CHECK(test::as<coterie::worker_crashed>(outcome.error()).item() == 37);
      } else {
        REQUIRE(outcome.has_value());
        CHECK(*outcome == 2 * item);
      }
    }
    CHECK(pool.stats().tasks_done == 99);
    CHECK(pool.stats().tasks_failed == 1);
    co_await still_well(pool);
  });
}

TEST_CASE("given one item that kills its worker, when all are wanted, then the call fails by it") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 2}};
    const auto task = coterie::bind(die_at, 5);
    const auto problem = test::as<coterie::worker_crashed>(
        co_await test::failure_of(pool.map(task, numbers(100), {.chunksize = 1})));
    CHECK(problem.item() == 5);
    co_await still_well(pool);
  });
}

TEST_CASE("given one item that kills its worker, when they are streamed, then the rest comes") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 2}};
    const bool ordered = GENERATE(true, false);
    const auto task = coterie::bind(die_at, 5);
    const coterie::stream_options options{.chunksize = 1};
    auto stream = ordered ? pool.imap(task, numbers(30), options)
                          : pool.imap_unordered(task, numbers(30), options);
    int values = 0;
    int crashes = 0;
    for (int item = 0; item < 30; ++item) {
      try {
        const auto value = co_await stream.next();
        REQUIRE(value.has_value());
        if (ordered) CHECK(*value == 2 * item);
        ++values;
      } catch (const coterie::worker_crashed& problem) {
        CHECK(problem.item() == 5);
        if (ordered) CHECK(item == 5);
        ++crashes;
      }
    }
    CHECK(values == 29);
    CHECK(crashes == 1);
    co_await test::gives(stream.next(), std::nullopt);
    co_await still_well(pool);
  });
}

TEST_CASE(
    "given a chunk whose second item kills the worker, when it is over, the first is not lost") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 1}};
    // Chunks of one: each is finished, for all to know, before the next item begins.
    const auto task = coterie::bind(die_at, 9);
    auto outcomes = co_await pool.map_settled(task, numbers(20), {.chunksize = 1});
    for (std::size_t item = 0; item < 20; ++item) CHECK(outcomes[item].has_value() == (item != 9));

    // Over sockets, what goes with it is of the same chunk; through memory, nothing does.
    outcomes = co_await pool.map_settled(task, numbers(20), {.chunksize = 4});
    REQUIRE(outcomes.size() == 20);
    for (std::size_t item = 0; item < 20; ++item) {
      INFO("item " << item);
      const bool may_go = test::over_sockets() ? item >= 8 && item <= 11 : item == 9;
      if (!may_go) CHECK(outcomes[item].has_value());
      if (outcomes[item].has_error()) {
        CHECK(test::as<coterie::worker_crashed>(outcomes[item].error()).item() == item);
      }
    }
    CHECK(outcomes[9].has_error());
    co_await still_well(pool);
  });
}

TEST_CASE(
    "given items that kill their workers, when others share their chunks, then each runs once") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 2}};
    const test::directory folder;
    const std::string tally = folder.file("tally");
    const std::size_t chunksize = GENERATE(0, 1, 16);
    INFO("chunksize " << chunksize);
    constexpr int count = 400;
    const auto outcomes = co_await pool.map_settled(coterie::bind(tally_and_die, tally),
                                                    numbers(count), {.chunksize = chunksize});
    const auto runs = tallied(tally);
    for (int item = 0; item < count; ++item) {
      const auto& outcome = outcomes[static_cast<std::size_t>(item)];
      INFO("item " << item);
      // Over sockets, whether an item of a lost chunk has run is not known: it is not run again.
      const auto times = runs.count(item);
      if (outcome.has_value()) {
        CHECK(times == 1);
      } else {
        CHECK(times <= 1);
      }
      if (!test::over_sockets()) CHECK(outcome.has_value() == (item % 57 != 56));
    }
    co_await still_well(pool);
  });
}

TEST_CASE("given a task that always kills its worker, when many are asked for, then all are told") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 3}};
    const auto task = coterie::bind(die, death::kill);
    auto outcomes = co_await pool.map_settled(task, numbers(24), {.chunksize = 1});
    REQUIRE(outcomes.size() == 24);
    for (std::size_t item = 0; item < 24; ++item) {
      REQUIRE(outcomes[item].has_error());
      CHECK(test::as<coterie::worker_crashed>(outcomes[item].error()).item() == item);
    }
    CHECK(pool.stats().workers_crashed == 24);
    co_await still_well(pool);
  });
}

TEST_CASE("given a closed pool, when its last task kills the worker, then join still completes") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 1}};
    auto pending = pool.map_async(coterie::bind(die, death::kill), numbers(1));
    pool.close();
    test::as<coterie::worker_crashed>(co_await test::failure_of(pending.get()));
    co_await pool.join();
    CHECK(test::children().empty());
  });
}

TEST_CASE("given a closed pool with work left, when a worker dies, then another does the rest") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 1}};
    auto stream = pool.imap(coterie::bind(die_at, 2), numbers(6), {.chunksize = 1});
    pool.close();
    int values = 0;
    for (int item = 0; item < 6; ++item) {
      if (!co_await test::failure_of(stream.next())) ++values;
    }
    CHECK(values == 5);
    co_await pool.join();
  });
}

// ---- others end the worker --------------------------------------------------------------------

TEST_CASE("given idle workers, when one is killed, then it is replaced and no task notices") {
  const auto before = test::held_at_rest();
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 3}};
    for (std::uint64_t round = 1; round <= 5; ++round) {
      co_await all_ready(pool);
      ::kill(test::children().front(), SIGKILL);
      co_await test::becomes([&] { return pool.stats().workers_started == 3 + round; });
      co_await still_well(pool);
      CHECK(pool.stats().workers_crashed == round);
    }
  });
  CHECK(test::held_now() == before);
}

TEST_CASE("given idle workers, when all are killed at once, then all are replaced") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 4}};
    for (std::uint64_t round = 1; round <= 3; ++round) {
      co_await all_ready(pool);
      for (const pid_t worker : test::children()) ::kill(worker, SIGKILL);
      co_await test::becomes([&] { return pool.stats().workers_started == 4 + 4 * round; });
      co_await still_well(pool);
    }
  });
}

TEST_CASE(
    "given an idle worker that was just killed, when work is sent to it, then it is answered") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 1}};
    for (int round = 0; round < 10; ++round) {
      co_await all_ready(pool);
      ::kill(test::children().front(), SIGKILL);
      // The pool may not know yet. The call may have begun before the signal came; else it
      // succeeds.
      const auto problem = co_await test::failure_of(pool.apply(twice, 1));
      if (problem) CHECK(test::code_of(problem) == coterie::errc::worker_crashed);
    }
    co_await news_has_come(pool);
    co_await still_well(pool);
  });
}

TEST_CASE("given busy workers, when all are killed at once, then each item is told of its own") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    coterie::pool pool{executor, {.processes = 4}};
    test::signal begun{executor};
    std::vector<coterie::async_result<int>> pending;
    for (int call = 0; call < 4; ++call) pending.push_back(pool.apply_async(hang, begun.path()));
    co_await begun.arrived(4);
    auto workers = test::children();
    for (const pid_t worker : workers) ::kill(worker, SIGTERM);
    std::vector<pid_t> told;
    for (auto& each : pending) {
      const auto problem = test::as<coterie::worker_crashed>(co_await test::failure_of(each.get()));
      CHECK(problem.signal() == SIGTERM);
      told.push_back(problem.pid());
    }
    std::ranges::sort(told);
    CHECK(told == workers);
    co_await still_well(pool);
  });
}

TEST_CASE("given a stopped worker, when it is killed, then its item is told") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    coterie::pool pool{executor, {.processes = 1}};
    test::signal begun{executor};
    auto pending = pool.apply_async(hang, begun.path());
    co_await begun.arrived();
    const pid_t worker = test::children().front();
    ::kill(worker, SIGSTOP);
    co_await test::becomes([&] { return test::status_of(worker).state == 'T'; });
    ::kill(worker, SIGKILL);
    co_await test::fails_with(pending.get(), coterie::errc::worker_crashed);
    co_await still_well(pool);
  });
}

TEST_CASE("given a map that runs, when workers are killed all the time, then no item is lost") {
  const auto before = test::held_at_rest();
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    coterie::pool pool{executor, {.processes = 3}};
    const std::size_t chunksize = GENERATE(1, 7, 0);
    INFO("chunksize " << chunksize);
    const auto busy = [](int item) {
      const auto end = std::chrono::steady_clock::now() + 300us;
      while (std::chrono::steady_clock::now() < end) {
      }
      return 2 * item;
    };
    std::optional<std::vector<boost::system::result<int, std::exception_ptr>>> outcomes;
    constexpr int count = 1500;
    pool.map_settled(busy, numbers(count), {.chunksize = chunksize},
                     [&](const std::exception_ptr& problem, auto values) {
                       CHECK(!problem);
                       outcomes = std::move(values);
                     });
    std::minstd_rand random{7};
    std::uint64_t kills = 0;
    asio::steady_timer pause{executor};
    while (!outcomes) {
      // The pauses are no waits: they spread the kills over everything that a worker does.
      pause.expires_after(std::chrono::microseconds{500 + random() % 6000});
      co_await pause.async_wait(asio::use_awaitable);
      const auto workers = test::children();
      if (outcomes || workers.empty() || kills == 60) continue;
      ::kill(workers[random() % workers.size()], SIGKILL);
      ++kills;
    }
    REQUIRE(outcomes->size() == count);
    std::size_t crashed = 0;
    for (std::size_t item = 0; item < outcomes->size(); ++item) {
      const auto& outcome = (*outcomes)[item];
      if (outcome.has_value()) {
        REQUIRE(*outcome == static_cast<int>(2 * item));
      } else {
        ++crashed;
        REQUIRE(test::as<coterie::worker_crashed>(outcome.error()).item() == item);
      }
    }
    CHECK(kills > 0);
    if (!test::over_sockets()) {
      CHECK(crashed <= kills);
    } else if (chunksize != 0) {
      CHECK(crashed <= kills * chunksize);
    }
    co_await news_has_come(pool);
    co_await still_well(pool);
  });
  CHECK(test::held_now() == before);
}

TEST_CASE(
    "given a stream that is read, when workers are killed all the time, then it comes to its end") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    coterie::pool pool{executor, {.processes = 3}};
    auto stream = pool.imap_unordered(twice, numbers(5000), {.chunksize = 3});
    std::minstd_rand random{11};
    int values = 0;
    int crashes = 0;
    for (int item = 0; item < 5000; ++item) {
      if (item % 100 == 50) {
        if (const auto workers = test::children(); !workers.empty()) {
          ::kill(workers[random() % workers.size()], SIGKILL);
        }
      }
      if (co_await test::failure_of(stream.next())) {
        ++crashes;
      } else {
        ++values;
      }
    }
    co_await test::gives(stream.next(), std::nullopt);
    CHECK(values + crashes == 5000);
    CHECK(crashes <= 50 * 3);
    co_await news_has_come(pool);
    co_await still_well(pool);
  });
}

TEST_CASE(
    "given a result on its way, when the worker is killed behind it, then the result arrives") {
  asio::io_context loop;
  coterie::pool pool{loop, {.processes = 1}};
  test::signal begun{loop.get_executor()};
  test::signal go_on{loop.get_executor()};
  auto pending = pool.apply_async(
      [](const std::string& tell, const std::string& await) {
        test::give_signal(tell);
        test::await_signal(await);
        return 42;
      },
      begun.path(), go_on.path());
  bool has_begun = false;
  asio::co_spawn(loop, begun.arrived(), [&](const std::exception_ptr&) { has_begun = true; });
  while (!has_begun) REQUIRE(loop.run_one_for(test::deadline) == 1);

  // The loop stands still from here, so nothing reads what the worker sends.
  const pid_t worker = test::children().front();
  go_on.give();
  REQUIRE(test::eventually([&] { return test::waits_for_parent(worker); }));
  ::kill(worker, SIGKILL);
  siginfo_t info;
  REQUIRE(::waitid(P_PID, static_cast<id_t>(worker), &info, WEXITED | WNOWAIT) == 0);

  std::optional<int> value;
  pending.get([&](const std::exception_ptr& problem, int arrived) {
    if (!problem) value = arrived;
    pool.close();
  });
  loop.run_for(test::deadline);
  CHECK(value == 42);
}

TEST_CASE(
    "given a large argument on its way, when the worker is killed, then the parent survives") {
  // The default would end the parent.
  std::signal(SIGPIPE, SIG_DFL);
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    coterie::pool pool{executor, {.processes = 1}};
    const std::string large(std::size_t{32} << 20U, 'x');
    const auto length = [](const std::string& text) { return text.size(); };
    for (int round = 0; round < 5; ++round) {
      co_await all_ready(pool);
      const pid_t worker = test::children().front();
      ::kill(worker, SIGSTOP);
      auto pending = pool.apply_async(length, large);
      ::kill(worker, SIGKILL);
      // It has not begun, and goes to the next worker.
      co_await test::gives(pending.get(), large.size());
    }
    co_await still_well(pool);
  });
}

TEST_CASE(
    "given a worker whose child holds its descriptors, when the worker dies, then it is noticed") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    coterie::pool pool{executor, {.processes = 1}};
    test::directory directory;
    const std::string pid_file = directory.file("pid");
    const auto task = [](const std::string& where) -> int {
      // A fork without exec keeps even what is closed on exec. In a process group of its own, it is
      // not ended with the worker.
      const pid_t child = ::fork();
      if (child == 0) {
        for (;;) ::pause();
      }
      ::setpgid(child, child);
      std::ofstream{where} << child << std::flush;
      ::_exit(3);
    };
    const auto problem =
        test::as<coterie::worker_crashed>(co_await test::failure_of(pool.apply(task, pid_file)));
    CHECK(problem.exit_code() == 3);
    pid_t child = 0;
    std::ifstream{pid_file} >> child;
    REQUIRE(child > 0);
    CHECK(!test::gone(child));
    ::kill(child, SIGKILL);
    co_await still_well(pool);
  });
}

// ---- workers that lie -------------------------------------------------------------------------

namespace {

constexpr int link_descriptor = 3;

// As a frame begins that brings results (`lib/messages`).
struct forged_header {
  std::uint8_t magic = 0xc7;
  std::uint8_t kind = 0;
  std::uint16_t segment = 0;
  std::uint16_t sender = 0xffff;
  std::uint16_t receiver = 0xffff;
  std::uint64_t length = 0;
  std::uint64_t job = 0;
  std::uint64_t chunk = 0;
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  std::uint32_t claimed = 0;
  std::uint32_t busy = 0;
};
static_assert(sizeof(forged_header) == 48);

enum kind : std::uint8_t {
  setup = 1,
  define,
  run_chunk,
  forget,
  cancel,
  stop,
  hello,
  ready,
  not_ready,
  values,
  failure,
  done,
  left,
  beyond
};

// In the worker, as stray code would: straight to the descriptor.
void put(const void* bytes, std::size_t count) {
  if (::send(link_descriptor, bytes, count, MSG_NOSIGNAL) != static_cast<ssize_t>(count))
    ::_exit(77);
}
void put(const forged_header& header) { put(&header, sizeof header); }

using lie = int (*)();

struct named_lie {
  const char* name;
  lie tell;
};

// What the first call of a pool of one worker runs as.
constexpr std::uint64_t own_job = 1;
constexpr std::uint64_t own_chunk = 1;

const named_lie lies[] = {
    {"text", [] { return put("Hello, is this the standard output? I hope it is...", 48), 1; }},
    {"zeros",
     [] {
       const char zeros[4096] = {};
       return put(zeros, sizeof zeros), 1;
     }},
    {"one byte", [] { return put("x", 1), 1; }},
    {"a wrong mark", [] { return put({.magic = 1, .kind = values}), 1; }},
    {"kind 0", [] { return put({.kind = 0}), 1; }},
    {"a kind beyond the last", [] { return put({.kind = beyond}), 1; }},
    {"a frame of the parent", [] { return put({.kind = run_chunk, .job = 1, .chunk = 1}), 1; }},
    {"the order to stop", [] { return put({.kind = stop}), 1; }},
    {"half a header, then the truth",
     [] {
       const forged_header header{.kind = values, .job = own_job, .chunk = own_chunk};
       return put(&header, 20), 1;
     }},
    {"a length beyond belief",
     [] { return put({.kind = values, .length = std::uint64_t{1} << 63U}), 1; }},
    {"the greatest length", [] { return put({.kind = values, .length = ~std::uint64_t{0}}), 1; }},
    {"results of another chunk",
     [] { return put({.kind = values, .job = own_job, .chunk = 999, .count = 1}), 1; }},
    {"results of another job",
     [] { return put({.kind = values, .job = 999, .chunk = own_chunk, .count = 1}), 1; }},
    {"no results", [] { return put({.kind = values, .job = own_job, .chunk = own_chunk}), 1; }},
    {"too many results",
     [] { return put({.kind = values, .job = own_job, .chunk = own_chunk, .count = 2}), 1; }},
    {"far too many results",
     [] {
       return put({.kind = values, .job = own_job, .chunk = own_chunk, .count = ~std::uint32_t{0}}),
              1;
     }},
    {"results from the middle",
     [] {
       return put({.kind = values, .job = own_job, .chunk = own_chunk, .first = 1, .count = 1}), 1;
     }},
    {"the end before the results",
     [] { return put({.kind = done, .job = own_job, .chunk = own_chunk}), 1; }},
    {"the end of another chunk", [] { return put({.kind = done, .job = 1, .chunk = 999}), 1; }},
};

}  // namespace

TEST_CASE("given a task that writes what no worker sends, when it runs, then only it is lost") {
  const auto before = test::held_at_rest();
  for (const named_lie& each : lies) {
    INFO(each.name);
    test::run([&]() -> asio::awaitable<void> {
      coterie::pool pool{co_await asio::this_coro::executor,
                         {.processes = 1, .shared_memory = false}};
      const auto problem = co_await test::failure_of(pool.apply(each.tell));
      CHECK(problem);
      if (problem) CHECK(test::code_of(problem) == coterie::errc::protocol_violation);
      co_await still_well(pool);
      pool.close();
      co_await pool.join();
    });
  }
  CHECK(test::held_now() == before);
}

TEST_CASE("given a task that forges its own result, when it runs, then the parent checks it") {
  const auto before = test::held_at_rest();
  struct expectation {
    const char* name;
    lie tell;
    coterie::errc code;
  };
  const expectation forgeries[] = {
      {"results that are too short",
       [] { return put({.kind = values, .job = own_job, .chunk = own_chunk, .count = 1}), 1; },
       coterie::errc::decode_failed},
      {"results that are too long",
       [] {
         put({.kind = values, .length = 4096, .job = own_job, .chunk = own_chunk, .count = 1});
         const char bytes[4096] = {1, 2, 3};
         return put(bytes, sizeof bytes), 1;
       },
       coterie::errc::decode_failed},
      {"a failure without an exception",
       [] { return put({.kind = failure, .job = own_job, .chunk = own_chunk}), 1; },
       coterie::errc::decode_failed},
      {"a failure with another thing than an exception",
       [] {
         put({.kind = failure, .length = 64, .job = own_job, .chunk = own_chunk});
         char bytes[64];
         std::memset(bytes, 0xff, sizeof bytes);
         return put(bytes, sizeof bytes), 1;
       },
       coterie::errc::decode_failed},
  };
  for (const expectation& each : forgeries) {
    INFO(each.name);
    test::run([&]() -> asio::awaitable<void> {
      coterie::pool pool{co_await asio::this_coro::executor,
                         {.processes = 1, .shared_memory = false}};
      co_await test::fails_with(pool.apply(each.tell), each.code);
      // The true result came behind the forged one; sooner or later that ends the worker.
      co_await test::becomes([&] { return pool.stats().workers_started == 2; });
      co_await still_well(pool);
    });
  }
  CHECK(test::held_now() == before);
}

TEST_CASE("given a task that claims to send very much, when it runs, then only it is lost") {
  // Below the length that is refused outright, and above what there may be memory for.
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor,
                       {.processes = 2, .shared_memory = false}};
    const auto bystander = pool.apply_async(twice, 1);
    const auto claim = []() -> int {
      put({.kind = values,
           .length = std::uint64_t{60} << 30U,
           .job = own_job + 1,
           .chunk = own_chunk + 1,
           .count = 1});
      ::_exit(3);
    };
    co_await test::gives(bystander.get(), 2);
    const auto problem = co_await test::failure_of(pool.apply(claim));
    REQUIRE(problem);
    const auto code = test::code_of(problem);
    CHECK((code == coterie::errc::worker_crashed || code == coterie::errc::protocol_violation));
    co_await still_well(pool);
  });
}

TEST_CASE("given a task that claims to send very much, when it returns, then nothing hangs") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor,
                       {.processes = 1, .shared_memory = false}};
    // The truth that follows is taken for the payload, and never fills it.
    const auto claim = [] {
      put({.kind = values,
           .length = std::uint64_t{1} << 30U,
           .job = own_job,
           .chunk = own_chunk,
           .count = 1});
      return 1;
    };
    auto pending = pool.apply_async(claim);
    // The pool cannot tell this from a long message that is still on its way: the way out is to
    // cancel.
    co_await test::gives(pending.wait(50ms), false);
    pending.cancel();
    const auto problem = co_await test::failure_of(pending.get());
    CHECK(problem);
    co_await still_well(pool);
  });
}

TEST_CASE(
    "given a task that greets again or calls itself ready, when it runs, the pool stays well") {
  const lie claims[] = {
      [] { return put({.kind = hello, .count = 1}), 1; }, [] { return put({.kind = ready}), 1; },
      [] { return put({.kind = not_ready}), 1; }, [] { return put({.kind = left}), 1; }};
  for (const lie claim : claims) {
    test::run([&]() -> asio::awaitable<void> {
      coterie::pool pool{co_await asio::this_coro::executor,
                         {.processes = 1, .shared_memory = false}};
      const auto problem = co_await test::failure_of(pool.apply(claim));
      if (problem) CHECK(test::code_of(problem) == coterie::errc::protocol_violation);
      co_await still_well(pool);
      pool.close();
      // What a task wrote is not what a finalizer threw.
      const auto unjoined = co_await test::failure_of(pool.join());
      CHECK(!unjoined);
    });
  }
}

TEST_CASE("given a task that closes its link, when it goes on in any way, then only it is lost") {
  const auto before = test::held_at_rest();
  const lie closers[] = {
      [] { return ::close(link_descriptor), 1; },
      [] { return ::shutdown(link_descriptor, SHUT_WR), 1; },
      [] { return ::shutdown(link_descriptor, SHUT_RDWR), 1; },
      [] {
        ::close(link_descriptor);
        for (;;) ::pause();
        return 1;
      },
      [] {
        ::shutdown(link_descriptor, SHUT_WR);
        for (;;) ::pause();
        return 1;
      },
      [] {
        const int other = ::open("/dev/null", O_RDWR);
        ::dup2(other, link_descriptor);
        return 1;
      },
      [] {
        for (int each = 0; each < 64; ++each) ::close(each);
        return 1;
      },
      // Half a frame, and then nothing for ever.
      [] {
        const forged_header header{.kind = values};
        put(&header, 20);
        ::_exit(3);
        return 1;
      },
      [] {
        put({.kind = values, .length = 100, .job = own_job, .chunk = own_chunk, .count = 1});
        put("only this", 9);
        ::_exit(3);
        return 1;
      },
  };
  for (const bool shared_memory : {false, true}) {
    int number = 0;
    for (const lie each : closers) {
      INFO("closer " << number++ << ", shared memory " << shared_memory);
      test::run([&]() -> asio::awaitable<void> {
        coterie::pool pool{co_await asio::this_coro::executor,
                           {.processes = 1, .shared_memory = shared_memory}};
        const auto problem = co_await test::failure_of(pool.apply(each));
        // Through shared memory a result may come although the socket is closed.
        if (!shared_memory) REQUIRE(problem);
        if (problem) {
          const auto code = test::code_of(problem);
          CHECK((code == coterie::errc::worker_crashed ||
                 (shared_memory && code == coterie::errc::protocol_violation)));
        }
        co_await test::becomes([&] { return pool.stats().workers_started == 2; });
        co_await still_well(pool);
      });
    }
  }
  CHECK(test::held_now() == before);
}

TEST_CASE("given a task that ends the reading of its link, when it is done, then it is replaced") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 1}};
    const lie deaf = [] { return ::shutdown(link_descriptor, SHUT_RD), 1; };
    co_await test::gives(pool.apply(deaf), 1);
    co_await test::becomes([&] { return pool.stats().workers_started == 2; });
    co_await still_well(pool);
  });
}
