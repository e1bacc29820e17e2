// SPDX-License-Identifier: BSL-1.0

// What runs in each worker before its first task and after its last.

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#include "support/expect.hpp"
#include "support/processes.hpp"
#include "support/run.hpp"
#include "support/signal.hpp"

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

int twice(int value) { return 2 * value; }

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::vector<int> numbers(int count) {
  std::vector<int> all;
  for (int each = 0; each < count; ++each) all.push_back(each);
  return all;
}

// The state of a worker, made by its initializer.
std::string state;
int times_initialized = 0;

void initialize(const std::string& text, int number) {
  state = text + " " + std::to_string(number);
  ++times_initialized;
}

std::string read_state() { return state + ", " + std::to_string(times_initialized); }

void mark(const std::string& path) { test::leave_mark(path); }

void mark_and_throw(const std::string& path) {
  test::leave_mark(path);
  throw std::runtime_error{"the database is not there"};
}

void mark_and_exit(const std::string& path) {
  test::leave_mark(path);
  ::_exit(9);
}

void mark_and_hang(const std::string& path) {
  test::leave_mark(path);
  for (;;) ::pause();
}

// Fails until the file is there.
void need(const std::string& path) {
  if (!std::filesystem::exists(path)) throw std::runtime_error{"there is no " + path};
}

asio::awaitable<coterie::start_failed> start_failure(coterie::pool& pool) {
  const auto problem = co_await test::failure_of(pool.apply(twice, 1));
  co_return test::as<coterie::start_failed>(problem);
}

}  // namespace

// ---- the initializer --------------------------------------------------------------------------

TEST_CASE("given an initializer with arguments, when tasks run, then they see what it has made") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    coterie::pool pool{executor,
                       {.processes = 2, .initializer = coterie::bind(initialize, "opened", 7)}};
    for (int call = 0; call < 10; ++call) {
      co_await test::gives(pool.apply(read_state), "opened 7, 1");
    }
  });
  CHECK(state.empty());
}

TEST_CASE(
    "given an initializer, when all workers are there, then it has run once in each of them") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    const test::directory directory;
    const std::string marks = directory.file("marks");
    coterie::pool pool{executor, {.processes = 4, .initializer = coterie::bind(mark, marks)}};
    co_await test::becomes([&] { return pool.stats().workers_ready == 4; });
    co_await pool.map(twice, numbers(100));
    CHECK(test::marks_in(marks) == 4);

    ::kill(test::children().front(), SIGKILL);
    co_await test::becomes([&] { return pool.stats().workers_started == 5; });
    co_await test::becomes([&] { return pool.stats().workers_ready == 4; });
    CHECK(test::marks_in(marks) == 5);
  });
}

TEST_CASE(
    "given an initializer, when it asks where it runs, then it is told its rank and the size") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    const auto remember = [] {
      initialize("rank " + std::to_string(coterie::this_worker::rank()),
                 coterie::this_worker::size());
    };
    coterie::pool pool{executor, {.processes = 3, .initializer = remember}};
    co_await test::becomes([&] { return pool.stats().workers_ready == 3; });
    test::signal begun{executor};
    test::signal go_on{executor};
    const auto look = [](const std::string& tell, const std::string& await, int) {
      test::give_signal(tell);
      test::await_signal(await);
      return read_state() + ", rank " + std::to_string(coterie::this_worker::rank()) + " of " +
             std::to_string(coterie::this_worker::size());
    };
    // All three are made to work at the same time.
    auto pending = pool.map_async(coterie::bind(look, begun.path(), go_on.path()), numbers(3),
                                  {.chunksize = 1});
    co_await begun.arrived(3);
    go_on.give(3);
    const auto texts = co_await pending.get();
    CHECK(std::set<std::string>(texts.begin(), texts.end()) ==
          std::set<std::string>{"rank 0 3, 1, rank 0 of 3", "rank 1 3, 1, rank 1 of 3",
                                "rank 2 3, 1, rank 2 of 3"});
  });
  CHECK(coterie::this_worker::rank() == -1);
  CHECK(coterie::this_worker::size() == 0);
}

TEST_CASE("given a replacement, when a task asks where it runs, then it has the dead one's rank") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    coterie::pool pool{executor, {.processes = 1}};
    for (int round = 0; round < 3; ++round) {
      co_await test::gives(pool.apply([] { return coterie::this_worker::rank(); }), 0);
      co_await test::fails_with(pool.apply([] { ::_exit(1); }), coterie::errc::worker_crashed);
    }
  });
}

// ---- an initializer that fails ----------------------------------------------------------------

TEST_CASE("given an initializer that throws, when a call is made, then it says why it cannot be") {
  const auto before = test::held_at_rest();
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    const test::directory directory;
    const std::string marks = directory.file("marks");
    const int processes = GENERATE(1, 4);
    coterie::pool pool{
        executor, {.processes = processes, .initializer = coterie::bind(mark_and_throw, marks)}};
    const auto problem = co_await start_failure(pool);
    INFO(problem.what());
    CHECK(problem.code() == coterie::errc::start_failed);
    CHECK(contains(problem.reason(), "the database is not there"));
    CHECK(contains(problem.reason(), "initializer"));
    CHECK(contains(problem.what(), problem.reason()));
    CHECK(test::children().empty());
    // Three in a row, and those that were starting beside them: not one after the other for ever.
    const auto tries = test::marks_in(marks);
    CHECK(tries >= 3);
    CHECK(tries <= static_cast<std::size_t>(2 + processes));
    CHECK(pool.stats().starts_failed == tries);
    CHECK(pool.stats().workers_crashed == 0);
    CHECK(pool.stats().jobs_pending == 0);
  });
  CHECK(test::held_now() == before);
}

TEST_CASE(
    "given an initializer that throws, when nothing is asked for, then it is not tried for ever") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    const test::directory directory;
    const std::string marks = directory.file("marks");
    coterie::pool pool{executor,
                       {.processes = 1, .initializer = coterie::bind(mark_and_throw, marks)}};
    co_await test::becomes([&] { return pool.stats().starts_failed == 3; });
    // Had another been started, a few turns of the loop would show it.
    for (int turn = 0; turn < 100; ++turn) co_await asio::post(asio::use_awaitable);
    CHECK(pool.stats().workers_started == 3);
    CHECK(test::children().empty());
    pool.close();
    co_await pool.join();
  });
}

TEST_CASE(
    "given an initializer that fails, when work of every kind waits, then all of it is told") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    const test::directory directory;
    coterie::pool pool{
        executor,
        {.processes = 2, .initializer = coterie::bind(need, directory.file("not there"))}};
    auto one = pool.apply_async(twice, 1);
    auto many = pool.map_async(twice, numbers(1000));
    auto stream = pool.imap(twice, numbers(1000));
    const auto settled = co_await pool.map_settled(twice, numbers(10));
    CHECK(settled.size() == 10);
    for (const auto& each : settled) {
      CHECK(test::code_of(each.error()) == coterie::errc::start_failed);
    }
    co_await test::fails_with(one.get(), coterie::errc::start_failed);
    co_await test::fails_with(many.get(), coterie::errc::start_failed);
    co_await test::fails_with(stream.next(), coterie::errc::start_failed);
    co_await test::gives(stream.next(), std::nullopt);
    pool.close();
    co_await pool.join();
  });
}

TEST_CASE("given an initializer that failed, when the cause is gone, then the next call succeeds") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    const test::directory directory;
    const std::string needed = directory.file("needed");
    coterie::pool pool{executor, {.processes = 2, .initializer = coterie::bind(need, needed)}};
    for (int round = 0; round < 2; ++round) {
      const auto problem = co_await start_failure(pool);
      CHECK(contains(problem.reason(), needed));
    }
    test::leave_mark(needed);
    co_await test::gives(pool.apply(twice, 21), 42);
    co_await test::becomes([&] { return pool.stats().workers_ready == 2; });
  });
}

TEST_CASE(
    "given an initializer that throws no std::exception, when a call is made, then it is told") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    coterie::pool pool{executor, {.processes = 1, .initializer = [] { throw 42; }}};
    const auto problem = co_await start_failure(pool);
    CHECK(contains(problem.reason(), "int"));
  });
}

TEST_CASE("given an initializer that ends the process, when a call is made, then it says how") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    const test::directory directory;
    const std::string marks = directory.file("marks");
    coterie::pool pool{executor,
                       {.processes = 1, .initializer = coterie::bind(mark_and_exit, marks)}};
    const auto problem = co_await start_failure(pool);
    CHECK(contains(problem.reason(), "exited with code 9"));
    CHECK(contains(problem.reason(), "initializer"));
    CHECK(test::marks_in(marks) == 3);
  });
}

TEST_CASE("given an initializer that fails in one worker, when others serve, then nothing fails") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    const auto picky = [] {
      if (coterie::this_worker::rank() == 1) throw std::runtime_error{"not in this one"};
    };
    coterie::pool pool{executor, {.processes = 3, .initializer = picky}};
    auto values = co_await pool.map(twice, numbers(500), {.chunksize = 1});
    CHECK(values.size() == 500);
    co_await test::becomes([&] { return pool.stats().workers_ready == 2; });
    // It is tried again, but not as fast as it can fail.
    for (int turn = 0; turn < 100; ++turn) co_await asio::post(asio::use_awaitable);
    CHECK(pool.stats().starts_failed <= 6);
    pool.close();
    co_await pool.join();
  });
}

TEST_CASE("given an initializer that hangs, when start_timeout has passed, then a call says so") {
  const auto before = test::held_at_rest();
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    const test::directory directory;
    const std::string marks = directory.file("marks");
    // Long enough for a worker to get to its initializer on a machine that is busy.
    constexpr auto limit = test::sanitized ? 1500ms : 300ms;
    coterie::pool pool{executor,
                       {.processes = 1,
                        .initializer = coterie::bind(mark_and_hang, marks),
                        .start_timeout = limit}};
    const auto start = std::chrono::steady_clock::now();
    const auto problem = co_await start_failure(pool);
    INFO(problem.what());
    CHECK(std::chrono::steady_clock::now() - start >= 3 * limit);
    CHECK(contains(problem.reason(), "start_timeout"));
    CHECK(test::marks_in(marks) <= 3);
    CHECK(pool.stats().starts_failed == 3);
    CHECK(test::children().empty());
  });
  CHECK(test::held_now() == before);
}

TEST_CASE("given a start_timeout, when workers were ready in time, then it has no effect later") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    coterie::pool pool{executor, {.processes = 2, .start_timeout = 2s}};
    co_await test::becomes([&] { return pool.stats().workers_ready == 2; });
    asio::steady_timer beyond{executor, 2100ms};
    co_await beyond.async_wait(asio::use_awaitable);
    CHECK(pool.stats().workers_started == 2);
    co_await test::gives(pool.apply(twice, 1), 2);
  });
}

TEST_CASE("given no start_timeout, when an initializer takes its time, then it is waited for") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    test::signal go_on{executor};
    coterie::pool pool{executor,
                       {.processes = 1,
                        .initializer = coterie::bind(test::await_signal, go_on.path()),
                        .start_timeout = 0ns}};
    auto pending = pool.apply_async(twice, 1);
    co_await test::gives(pending.wait(50ms), false);
    go_on.give();
    co_await test::gives(pending.get(), 2);
  });
}

// ---- the finalizer ----------------------------------------------------------------------------

TEST_CASE(
    "given a finalizer, when the pool is closed, then it runs once in each worker, at the end") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    const test::directory directory;
    const std::string marks = directory.file("marks");
    coterie::pool pool{executor, {.processes = 3, .finalizer = coterie::bind(mark, marks)}};
    co_await test::becomes([&] { return pool.stats().workers_ready == 3; });
    co_await pool.map(twice, numbers(100));
    CHECK(test::marks_in(marks) == 0);
    pool.close();
    co_await pool.join();
    CHECK(test::marks_in(marks) == 3);
  });
}

TEST_CASE(
    "given initializer and finalizer, when the pool is closed, they share the worker's state") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    const test::directory directory;
    const std::string file = directory.file("state");
    const auto write_state = [](const std::string& path) { std::ofstream{path} << state; };
    coterie::pool pool{executor,
                       {.processes = 1,
                        .initializer = coterie::bind(initialize, "made", 1),
                        .finalizer = coterie::bind(write_state, file)}};
    co_await pool.apply([] { state += ", used"; });
    pool.close();
    co_await pool.join();
    std::string text;
    std::getline(std::ifstream{file}, text);
    CHECK(text == "made 1, used");
  });
}

TEST_CASE(
    "given a pool that is terminated or destroyed, when workers end, then no finalizer runs") {
  const test::directory directory;
  const std::string marks = directory.file("marks");
  const bool terminated = GENERATE(true, false);
  test::run([&]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    coterie::pool pool{executor, {.processes = 2, .finalizer = coterie::bind(mark, marks)}};
    co_await test::becomes([&] { return pool.stats().workers_ready == 2; });
    if (terminated) {
      pool.terminate();
      co_await pool.join();
    }
  });
  CHECK(test::marks_in(marks) == 0);
}

TEST_CASE("given a finalizer that throws, when the pool is joined, then that is what comes out") {
  const auto before = test::held_at_rest();
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    const test::directory directory;
    const std::string marks = directory.file("marks");
    const auto fail = [](const std::string& path) {
      test::leave_mark(path);
      throw std::out_of_range{"the last words"};
    };
    coterie::pool pool{executor, {.processes = 3, .finalizer = coterie::bind(fail, marks)}};
    co_await test::becomes([&] { return pool.stats().workers_ready == 3; });
    co_await test::gives(pool.apply(twice, 1), 2);
    pool.close();
    const auto problem = co_await test::failure_of(pool.join());
    CHECK(std::string{test::as<std::out_of_range>(problem).what()} == "the last words");
    const auto* const origin = coterie::get_remote_info(problem);
    REQUIRE(origin != nullptr);
    CHECK(origin->rank() >= 0);
    CHECK(origin->rank() < 3);
    CHECK(origin->pid() > 0);
    CHECK(test::marks_in(marks) == 3);
    CHECK(test::children().empty());
    CHECK(pool.stats().workers_crashed == 0);

    // It is still there for a later call.
    const auto again = co_await test::failure_of(pool.join());
    CHECK(std::string{test::as<std::out_of_range>(again).what()} == "the last words");
  });
  CHECK(test::held_now() == before);
}

TEST_CASE("given a finalizer that kills its worker, when the pool is joined, then that comes out") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    coterie::pool pool{executor, {.processes = 1, .finalizer = [] { ::_exit(7); }}};
    co_await test::gives(pool.apply(twice, 1), 2);
    pool.close();
    const auto problem = co_await test::failure_of(pool.join());
    REQUIRE(problem);
    CHECK(test::code_of(problem) == coterie::errc::worker_crashed);
    CHECK(contains(test::as<coterie::error>(problem).what(), "exited with code 7"));
    CHECK(test::children().empty());
  });
}

TEST_CASE("given a finalizer that hangs, when the pool is terminated, then it ends all the same") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    const test::directory directory;
    const std::string marks = directory.file("marks");
    coterie::pool pool{executor,
                       {.processes = 2, .finalizer = coterie::bind(mark_and_hang, marks)}};
    co_await test::becomes([&] { return pool.stats().workers_ready == 2; });
    pool.close();
    co_await test::becomes([&] { return test::marks_in(marks) == 2; });
    pool.terminate();
    co_await pool.join();
    CHECK(test::children().empty());
  });
}

TEST_CASE("given a worker that runs its finalizer, when it is killed, then join still completes") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    const test::directory directory;
    const std::string marks = directory.file("marks");
    coterie::pool pool{executor,
                       {.processes = 1, .finalizer = coterie::bind(mark_and_hang, marks)}};
    co_await test::gives(pool.apply(twice, 1), 2);
    pool.close();
    co_await test::becomes([&] { return test::marks_in(marks) == 1; });
    ::kill(test::children().front(), SIGKILL);
    const auto problem = co_await test::failure_of(pool.join());
    REQUIRE(problem);
    CHECK(contains(test::as<coterie::error>(problem).what(), "SIGKILL"));
    CHECK(test::children().empty());
  });
}

TEST_CASE(
    "given an initializer that closes the worker's descriptors, when a call fails, it says so") {
  const auto close_all = [] { ::closefrom(3); };
  // The numbers are in use again, by something else.
  const auto replace_all = [] {
    ::closefrom(3);
    while (::open("/dev/null", O_RDWR) < 32) {
    }
  };
  const bool replaced = GENERATE(false, true);
  const auto initializer =
      replaced ? coterie::worker_task{replace_all} : coterie::worker_task{close_all};
  const auto before = test::held_at_rest();
  test::run([&]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    coterie::pool pool{executor, {.processes = 1, .initializer = initializer}};
    const auto one = [] { return 1; };
    const auto problem =
        test::as<coterie::start_failed>(co_await test::failure_of(pool.apply(one)));
    CHECK(std::string{problem.reason()}.find("lost its connection") != std::string::npos);
    CHECK(pool.stats().workers_crashed == 0);
  });
  CHECK(test::held_now() == before);
}
