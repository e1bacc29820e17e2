// SPDX-License-Identifier: BSL-1.0

// Options that are written where they are used, in one expression with a `co_await`. There g++ 12
// copies the bytes of some temporaries, and destroys both. Compiled without optimisation and with
// it.

#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <boost/pfr.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#include "support/expect.hpp"
#include "support/run.hpp"
#include "support/signal.hpp"

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

// The state of a worker, made by its initializer.
std::string state = "untouched";

// Longer than what a string holds in itself.
const std::string long_text(100, 'x');

void touch() { state = "touched"; }
void set_state(const std::string& text) { state = text; }
std::string get_state() { return state; }
int twice(int value) { return 2 * value; }
int sum(int a, int b) { return a + b; }

// What a worker finds around it: a variable, its folder, its niceness, how many CPUs it may use.
using found = std::tuple<std::string, std::string, int, int>;
found look_around() {
  const char* const value = std::getenv("COTERIE_TEST");
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  ::sched_getaffinity(0, sizeof cpus, &cpus);
  std::puts("it has looked around");
  std::fputs("and found errors", stderr);
  return {value != nullptr ? value : "", std::filesystem::current_path(),
          ::getpriority(PRIO_PROCESS, 0), CPU_COUNT(&cpus)};
}
std::uint64_t own_seed() { return coterie::this_worker::seed(); }

// An option that is new is missing below.
constexpr std::size_t options_below = 15;
static_assert(boost::pfr::tuple_size_v<coterie::pool_options> == options_below);

std::string text_of(const std::string& path) {
  std::ifstream file{path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

asio::awaitable<int> three() { co_return 3; }

asio::awaitable<void> check_state(coterie::pool& pool, std::string expected) {
  co_await test::gives(pool.apply(get_state), expected);
}

}  // namespace

TEST_CASE("given an initializer in place, when the executor is awaited beside it, then it runs") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 1, .initializer = touch}};
    co_await check_state(pool, "touched");
  });
}

TEST_CASE("given a bound initializer in place, when the executor is awaited, then it runs") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor,
                       {.processes = 1, .initializer = coterie::bind(set_state, long_text)}};
    co_await check_state(pool, long_text);
  });
}

TEST_CASE("given all options in place, when the executor is awaited, then all of them hold") {
  const test::directory directory;
  constexpr std::uint64_t seed = 0x0123'4567'89ab'cdef;
  const int nice = ::getpriority(PRIO_PROCESS, 0);
  test::run([&]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor,
                       {.processes = 1,
                        .initializer = coterie::bind(set_state, long_text),
                        .finalizer = coterie::bind(test::leave_mark, directory.file("marks")),
                        .start_timeout = 60s,
                        .restart_limit = {.starts = 9, .window = 9s},
                        .subprocesses = coterie::subprocess_end::by_itself,
                        .environment = coterie::environment{}.set("COTERIE_TEST", long_text),
                        .working_directory = "/",
                        .standard_output = coterie::output::to_file(directory.file("output")),
                        .standard_error = coterie::output::to_file(directory.file("error")),
                        .nice = 1,
                        .cpus = coterie::cpu_pinning::automatic(),
                        .shared_memory = true,
                        .busy_poll = 20us,
                        .seed = seed}};
    const std::uint64_t first_seed = co_await pool.apply(own_seed);
    co_await check_state(pool, long_text);
    CHECK(pool.size() == 1);
    const found around = co_await pool.apply(look_around);
    CHECK(around == found{long_text, "/", std::min(nice + 1, 19), 1});
    pool.close();
    co_await pool.join();
    CHECK(test::marks_in(directory.file("marks")) == 1);
    CHECK(text_of(directory.file("output")) == "it has looked around\n");
    CHECK(text_of(directory.file("error")) == "and found errors");

    // The same by a name.
    coterie::pool_options options;
    options.seed = seed;
    coterie::pool other{co_await asio::this_coro::executor, options};
    co_await test::gives(other.apply(own_seed), first_seed);
    const int cpu = ::sched_getcpu();
    coterie::pool pinned{co_await asio::this_coro::executor,
                         {.processes = 1, .cpus = coterie::cpu_pinning::to(cpu, cpu)}};
    const found there = co_await pinned.apply(look_around);
    CHECK(std::get<3>(there) == 1);
    coterie::pool without{co_await asio::this_coro::executor, {}};
    const std::uint64_t another = co_await without.apply(own_seed);
    CHECK(another != first_seed);
  });
}

TEST_CASE("given options in place, when a pool is made in memory of its own, then they hold") {
  test::run([]() -> asio::awaitable<void> {
    const auto pool = std::make_unique<coterie::pool>(
        co_await asio::this_coro::executor,
        coterie::pool_options{.processes = 1, .initializer = coterie::bind(set_state, long_text)});
    co_await check_state(*pool, long_text);
    std::optional<coterie::pool> other;
    other.emplace(co_await asio::this_coro::executor,
                  coterie::pool_options{.processes = 1, .initializer = touch});
    co_await check_state(*other, "touched");
  });
}

TEST_CASE("given no options, when the executor is awaited in place, then the defaults hold") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor};
    co_await check_state(pool, "untouched");
  });
}

TEST_CASE("given options in place that are refused, when they are, then the reason arrives") {
  test::run([]() -> asio::awaitable<void> {
    bool refused = false;
    try {
      coterie::pool pool{co_await asio::this_coro::executor,
                         {.processes = -1, .initializer = coterie::bind(set_state, long_text)}};
    } catch (const std::invalid_argument&) {
      refused = true;
    }
    CHECK(refused);
  });
}

TEST_CASE("given named options, when several pools are made with them, then they hold for each") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool_options options{.processes = 1,
                                  .initializer = coterie::bind(set_state, long_text)};
    for (int turn = 0; turn < 2; ++turn) {
      coterie::pool pool{co_await asio::this_coro::executor, options};
      co_await check_state(pool, long_text);
    }
    const coterie::pool_options copy = options;
    options.initializer = touch;
    coterie::pool changed{co_await asio::this_coro::executor, options};
    coterie::pool copied{co_await asio::this_coro::executor, copy};
    co_await check_state(changed, "touched");
    co_await check_state(copied, long_text);
  });
}

TEST_CASE("given a named initializer, when it is passed in place, then it can be passed again") {
  test::run([]() -> asio::awaitable<void> {
    const coterie::worker_task initializer = coterie::bind(set_state, long_text);
    for (int turn = 0; turn < 2; ++turn) {
      coterie::pool pool{co_await asio::this_coro::executor,
                         {.processes = 1, .initializer = initializer}};
      co_await check_state(pool, long_text);
    }
  });
}

TEST_CASE("given a wait inside the braces of options in place, when made, then they hold") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{
        co_await asio::this_coro::executor,
        {.processes = co_await three(), .initializer = coterie::bind(set_state, long_text)}};
    CHECK(pool.size() == 3);
    co_await check_state(pool, long_text);
  });
}

TEST_CASE(
    "given a wait inside the braces of named options, when used, then they hold or say why not") {
  test::run([]() -> asio::awaitable<void> {
    const coterie::pool_options options{.processes = co_await three(),
                                        .initializer = coterie::bind(set_state, long_text)};
    std::string problem;
    try {
      coterie::pool pool{co_await asio::this_coro::executor, options};
      co_await check_state(pool, long_text);
    } catch (const std::invalid_argument& gone) {
      problem = gone.what();
    }
    INFO(problem);
    CHECK((problem.empty() || problem.find("await first") != std::string::npos));
  });
}

TEST_CASE(
    "given options of calls in place, when the calls are awaited, then they give their values") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 1, .initializer = touch}};
    const std::vector<int> items{1, 2, 3};
    const std::vector<std::pair<int, int>> pairs{{1, 2}, {3, 4}};
    const std::vector<int> doubled{2, 4, 6};
    const std::vector<int> sums{3, 7};
    const auto values = co_await pool.map(twice, items, {.chunksize = 2, .window = 2});
    CHECK(values == doubled);
    const auto added = co_await pool.starmap(sum, pairs, {.chunksize = 1});
    CHECK(added == sums);
    CHECK((co_await pool.map_settled(twice, items, {.chunksize = 2})).size() == 3);
    auto pending = pool.map_async(twice, items, {.window = 1});
    const auto got = co_await pending.get();
    CHECK(got == doubled);
    auto stream = pool.imap(twice, items, {.chunksize = 2, .window = 4});
    const auto streamed = co_await test::drain(stream);
    CHECK(streamed == doubled);
    co_await check_state(pool, "touched");
  });
}
