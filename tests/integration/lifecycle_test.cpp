// SPDX-License-Identifier: BSL-1.0

// How pools begin and end.

#include <unistd.h>

#include <chrono>
#include <functional>
#include <future>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
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

// Far more than the milliseconds that it takes, and far less than anything that waits for a task.
constexpr std::chrono::seconds promptly{test::sanitized ? 30 : 3};

int twice(int value) { return 2 * value; }
int sum(int left, int right) { return left + right; }

// Never returns; tells the test that it has begun.
int hang(const std::string& begun) {
  test::give_signal(begun);
  for (;;) ::pause();
}
int hang_with_item(const std::string& begun, int) { return hang(begun); }

std::vector<int> numbers(int count) {
  std::vector<int> all;
  for (int each = 0; each < count; ++each) all.push_back(each);
  return all;
}

class stopwatch {
 public:
  [[nodiscard]] std::chrono::steady_clock::duration elapsed() const {
    return std::chrono::steady_clock::now() - start_;
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

template <class F>
coterie::errc code_thrown_by(F submit) {
  try {
    submit();
  } catch (const coterie::error& problem) {
    return static_cast<coterie::errc>(problem.code().value());
  }
  return {};
}

}  // namespace

// ---- options ----------------------------------------------------------------------------------

TEST_CASE("given a number of processes out of range, when a pool is made, it is refused") {
  asio::io_context loop;
  const int wrong =
      GENERATE(-1, std::numeric_limits<int>::min(), coterie::pool_options::max_processes + 1,
               std::numeric_limits<int>::max());
  CHECK_THROWS_AS((coterie::pool{loop, {.processes = wrong}}), std::invalid_argument);
  CHECK(test::children().empty());
}

TEST_CASE("given a negative start_timeout, when a pool is made, it is refused") {
  asio::io_context loop;
  CHECK_THROWS_AS((coterie::pool{loop, {.processes = 1, .start_timeout = -1ns}}),
                  std::invalid_argument);
}

TEST_CASE("given no number of processes, when a pool is made, it has one for each available cpu") {
  asio::io_context loop;
  const coterie::pool pool{loop};
  CHECK(pool.size() == coterie::available_cpus());
}

TEST_CASE("given a number of processes, when all have started, then there are that many") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 5}};
    CHECK(pool.size() == 5);
    co_await test::becomes([&] { return pool.stats().workers_ready == 5; });
    CHECK(test::children().size() == 5);
    CHECK(pool.stats().workers_started == 5);
  });
  CHECK(test::children().empty());
}

TEST_CASE("given tasks that succeed and fail, when they are done, then stats has counted them") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 2}};
    const auto picky = [](int value) {
      if (value % 3 == 0) throw std::invalid_argument{"a multiple of three"};
      return value;
    };
    auto outcomes = co_await pool.map_settled(picky, numbers(9));
    CHECK(outcomes.size() == 9);
    auto stats = pool.stats();
    CHECK(stats.tasks_done == 6);
    CHECK(stats.tasks_failed == 3);
    CHECK(stats.jobs_pending == 0);
    CHECK(stats.workers_crashed == 0);
    CHECK(stats.starts_failed == 0);

    auto pending = pool.apply_async(twice, 4);
    CHECK(pool.stats().jobs_pending == 1);
    co_await pending.get();
    CHECK(pool.stats().jobs_pending == 0);
  });
}

// ---- close and join ---------------------------------------------------------------------------

TEST_CASE(
    "given pending work, when the pool is closed and joined, then the work is finished first") {
  const auto before = test::held_at_rest();
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 2}};
    auto pending = pool.map_async(twice, numbers(1000));
    pool.close();
    pool.close();
    co_await pool.join();
    CHECK(pending.ready());
    auto values = co_await pending.get();
    CHECK(values.size() == 1000);
    CHECK(values.back() == 1998);
    CHECK(test::children().empty());
    co_await pool.join();
  });
  CHECK(test::held_now() == before);
}

TEST_CASE("given an open pool, when it is joined, then that fails with not_closed") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 1}};
    co_await test::fails_with(pool.join(), coterie::errc::not_closed);
    co_await test::gives(pool.apply(twice, 4), 8);
  });
}

TEST_CASE("given a pool that is joined twice at a time, when it ends, then both are told") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 2}};
    pool.close();
    int joined = 0;
    pool.join([&](std::exception_ptr problem) { joined += problem ? 100 : 1; });
    co_await pool.join();
    co_await test::becomes([&] { return joined == 1; });
  });
}

TEST_CASE("given a pool with work, when its join is cancelled, then only the wait ends") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    coterie::pool pool{executor, {.processes = 1}};
    test::signal begun{executor};
    auto pending = pool.apply_async(hang, begun.path());
    co_await begun.arrived();
    pool.close();
    asio::cancellation_signal cancel;
    std::optional<std::exception_ptr> outcome;
    pool.join(asio::bind_cancellation_slot(
        cancel.slot(), [&](std::exception_ptr problem) { outcome = std::move(problem); }));
    cancel.emit(asio::cancellation_type::terminal);
    co_await test::becomes([&] { return outcome.has_value(); });
    CHECK(test::as<boost::system::system_error>(*outcome).code() == asio::error::operation_aborted);
    CHECK(!pending.ready());
  });
}

TEST_CASE("given a closed pool, when work is submitted in any way, then it is refused") {
  test::run([]() -> asio::awaitable<void> {
    using coterie::errc;
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 1}};
    const bool terminated = GENERATE(false, true);
    pool.close();
    if (terminated) pool.terminate();
    const std::vector<int> items = numbers(3);
    const std::vector<std::pair<int, int>> pairs{{1, 2}, {3, 4}};

    co_await test::fails_with(pool.apply(twice, 1), errc::pool_closed);
    co_await test::fails_with(pool.map(twice, items), errc::pool_closed);
    co_await test::fails_with(pool.starmap(sum, pairs), errc::pool_closed);
    co_await test::fails_with(pool.map_settled(twice, items), errc::pool_closed);
    co_await test::fails_with(pool.starmap_settled(sum, pairs), errc::pool_closed);
    CHECK(code_thrown_by([&] { (void)pool.apply_async(twice, 1); }) == errc::pool_closed);
    CHECK(code_thrown_by([&] { (void)pool.map_async(twice, items); }) == errc::pool_closed);
    CHECK(code_thrown_by([&] { (void)pool.starmap_async(sum, pairs); }) == errc::pool_closed);
    CHECK(code_thrown_by([&] { (void)pool.imap(twice, items); }) == errc::pool_closed);
    CHECK(code_thrown_by([&] { (void)pool.imap_unordered(twice, items); }) == errc::pool_closed);
    CHECK(code_thrown_by([&] { (void)pool.istarmap(sum, pairs); }) == errc::pool_closed);
    CHECK(code_thrown_by([&] { (void)pool.istarmap_unordered(sum, pairs); }) == errc::pool_closed);
    CHECK(pool.stats().jobs_pending == 0);
    co_await pool.join();
  });
}

TEST_CASE("given workers that have not started, when the pool is closed and joined, it ends") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 8}};
    pool.close();
    co_await pool.join();
    CHECK(test::children().empty());
  });
}

TEST_CASE("given work submitted before any worker is there, when the pool is closed, it is done") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 2}};
    auto pending = pool.apply_async(twice, 21);
    pool.close();
    co_await test::gives(pending.get(), 42);
    co_await pool.join();
  });
}

TEST_CASE("given a stream that is half read, when the pool is closed, then the rest still comes") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 2}};
    auto stream = pool.imap(twice, numbers(2000), {.chunksize = 1, .window = 4});
    for (int item = 0; item < 10; ++item) co_await test::gives(stream.next(), 2 * item);
    pool.close();
    auto rest = co_await test::drain(stream);
    CHECK(rest.size() == 1990);
    co_await pool.join();
  });
}

// ---- terminate --------------------------------------------------------------------------------

TEST_CASE("given work that hangs, when the pool is terminated twice, then it ends at once") {
  const auto before = test::held_at_rest();
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    coterie::pool pool{executor, {.processes = 2}};
    test::signal begun{executor};
    auto pending =
        pool.map_async(coterie::bind(hang_with_item, begun.path()), numbers(100), {.chunksize = 1});
    co_await begun.arrived(2);
    const stopwatch watch;
    pool.terminate();
    pool.terminate();
    co_await test::fails_with(pending.get(), coterie::errc::pool_terminated);
    co_await pool.join();
    CHECK(watch.elapsed() < promptly);
    CHECK(test::children().empty());
    pool.terminate();
    co_await pool.join();
    CHECK(pool.stats().jobs_pending == 0);
    CHECK(pool.stats().workers_ready == 0);
    CHECK(pool.stats().workers_crashed == 0);
  });
  CHECK(test::held_now() == before);
}

TEST_CASE("given a pool that was just made, when it is terminated, then no process is left") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 4}};
    pool.terminate();
    co_await pool.join();
    CHECK(test::children().empty());
  });
}

TEST_CASE(
    "given a closed pool that finishes its work, when it is terminated, then it ends at once") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    coterie::pool pool{executor, {.processes = 1}};
    test::signal begun{executor};
    auto pending = pool.apply_async(hang, begun.path());
    co_await begun.arrived();
    pool.close();
    pool.terminate();
    co_await test::fails_with(pending.get(), coterie::errc::pool_terminated);
    co_await pool.join();
  });
}

TEST_CASE("given work, when a completion handler terminates the pool, then the rest is told") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    coterie::pool pool{executor, {.processes = 2}};
    test::signal begun{executor};
    auto hanging = pool.apply_async(hang, begun.path());
    co_await begun.arrived();
    bool called = false;
    pool.apply(twice, 1, [&](std::exception_ptr, int) {
      called = true;
      pool.terminate();
    });
    co_await test::fails_with(hanging.get(), coterie::errc::pool_terminated);
    CHECK(called);
    co_await pool.join();
  });
}

TEST_CASE("given work, when a callback terminates the pool, then the rest is told") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    coterie::pool pool{executor, {.processes = 2}};
    test::signal begun{executor};
    auto hanging = pool.apply_async(hang, begun.path());
    co_await begun.arrived();
    int told = 0;
    hanging.error_callback([&](const std::exception_ptr&) {
      ++told;
      pool.terminate();
    });
    pool.apply_async(twice, 1).callback([&](int) { pool.terminate(); });
    co_await test::fails_with(hanging.get(), coterie::errc::pool_terminated);
    co_await test::becomes([&] { return told == 1; });
    co_await pool.join();
  });
}

TEST_CASE(
    "given a stream and a reader that waits, when the pool is terminated, then it is told once") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    coterie::pool pool{executor, {.processes = 1}};
    test::signal begun{executor};
    auto stream = pool.imap(coterie::bind(hang_with_item, begun.path()), numbers(10));
    std::optional<std::exception_ptr> outcome;
    stream.next([&](std::exception_ptr problem, const std::optional<int>&) {
      outcome = std::move(problem);
    });
    co_await begun.arrived();
    pool.terminate();
    co_await test::becomes([&] { return outcome.has_value(); });
    CHECK(test::code_of(*outcome) == coterie::errc::pool_terminated);
    co_await test::gives(stream.next(), std::nullopt);
  });
}

TEST_CASE("given a pool at work, when another thread terminates it, then everything is told") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 2}};
    co_await pool.apply(twice, 1);
    auto pending = pool.map_async(twice, numbers(1'000'000), {.chunksize = 1});
    std::jthread other{[&] { pool.terminate(); }};
    co_await test::fails_with(pending.get(), coterie::errc::pool_terminated);
    co_await pool.join();
  });
}

// ---- the destructor ---------------------------------------------------------------------------

TEST_CASE("given work of every kind, when the pool is destroyed, then all of it is told, at once") {
  const auto before = test::held_at_rest();
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    test::signal begun{executor};
    int told = 0;
    int wrong = 0;
    const auto tell = [&](const std::exception_ptr& problem, auto&&...) {
      ++told;
      if (!problem || test::code_of(problem) != coterie::errc::pool_terminated) ++wrong;
    };
    std::optional<coterie::pool> pool{std::in_place, executor,
                                      coterie::pool_options{.processes = 2}};
    const auto hanging = coterie::bind(hang_with_item, begun.path());
    const std::vector<int> items = numbers(10);
    const std::vector<std::tuple<int>> singles{{1}, {2}};
    pool->map(hanging, items, {.chunksize = 1}, tell);
    co_await begun.arrived(2);
    pool->apply(hanging, 1, tell);
    pool->starmap(hanging, singles, {}, tell);
    pool->map_settled(hanging, items, {}, tell);
    pool->starmap_settled(hanging, singles, {}, tell);
    auto eager = pool->apply_async(hanging, 1);
    eager.get(tell);
    eager.error_callback(tell);
    auto stream = pool->imap(hanging, items);
    stream.next(tell);
    auto unordered = pool->imap_unordered(hanging, items);
    unordered.next(tell);
    // Two of them wait in a line.
    std::optional<std::exception_ptr> second;
    unordered.next([&](std::exception_ptr problem, auto&&) { second = problem; });

    const stopwatch watch;
    pool.reset();
    CHECK(watch.elapsed() < promptly);
    CHECK(test::children().empty());
    CHECK(told == 0);  // handlers never run inside the function
    co_await test::becomes([&] { return told == 9 && second.has_value(); });
    CHECK(wrong == 0);
    CHECK(eager.ready());
    CHECK(!eager.successful());
    co_await test::gives(stream.next(), std::nullopt);
  });
  CHECK(test::held_now() == before);
}

TEST_CASE("given a pool, when a completion handler destroys it, then no process is left") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    auto pool = std::make_unique<coterie::pool>(executor, coterie::pool_options{.processes = 3});
    auto behind = pool->map_async(twice, numbers(100'000), {.chunksize = 1});
    pool->apply(twice, 1, [&](std::exception_ptr, int) { pool.reset(); });
    co_await test::fails_with(behind.get(), coterie::errc::pool_terminated);
    CHECK(pool == nullptr);
    CHECK(test::children().empty());
  });
}

TEST_CASE("given a pool, when a callback destroys it, then no process is left") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    auto pool = std::make_unique<coterie::pool>(executor, coterie::pool_options{.processes = 3});
    auto behind = pool->map_async(twice, numbers(100'000), {.chunksize = 1});
    pool->apply_async(twice, 1).callback([&](int) { pool.reset(); });
    co_await test::fails_with(behind.get(), coterie::errc::pool_terminated);
    CHECK(test::children().empty());
  });
}

TEST_CASE("given a pool, when the handler of its join destroys it, then no process is left") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    auto pool = std::make_unique<coterie::pool>(executor, coterie::pool_options{.processes = 3});
    pool->close();
    pool->join([&](const std::exception_ptr&) { pool.reset(); });
    co_await test::becomes([&] { return pool == nullptr; });
    CHECK(test::children().empty());
  });
}

TEST_CASE("given workers that are still starting, when the pool is destroyed, then none is left") {
  const auto before = test::held_at_rest();
  // From none started to all of them.
  const int steps = GENERATE(0, 1, 2, 3, 5, 8, 13, 21);
  {
    asio::io_context loop;
    std::optional<coterie::pool> pool{std::in_place, loop, coterie::pool_options{.processes = 6}};
    for (int step = 0; step < steps && pool->stats().workers_ready < 6; ++step) {
      loop.run_one_for(test::deadline);
    }
    const stopwatch watch;
    pool.reset();
    CHECK(watch.elapsed() < promptly);
    CHECK(test::children() == before.processes);
    loop.run_for(test::deadline);
    CHECK(loop.stopped());
  }
  CHECK(test::held_now() == before);
}

TEST_CASE("given workers whose initializer hangs, when the pool is destroyed, then none is left") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    test::signal begun{executor};
    std::optional<coterie::pool> pool{
        std::in_place, executor,
        coterie::pool_options{.processes = 3, .initializer = coterie::bind(hang, begun.path())}};
    auto pending = pool->apply_async(twice, 1);
    co_await begun.arrived(3);
    const stopwatch watch;
    pool.reset();
    CHECK(watch.elapsed() < promptly);
    CHECK(test::children().empty());
    co_await test::fails_with(pending.get(), coterie::errc::pool_terminated);
  });
}

TEST_CASE("given stopped workers, when the pool is destroyed, then none is left") {
  test::run([]() -> asio::awaitable<void> {
    std::optional<coterie::pool> pool{std::in_place, co_await asio::this_coro::executor,
                                      coterie::pool_options{.processes = 2}};
    co_await test::becomes([&] { return pool->stats().workers_ready == 2; });
    for (const pid_t worker : test::children()) ::kill(worker, SIGSTOP);
    pool.reset();
    CHECK(test::children().empty());
  });
}

TEST_CASE("given a moved pool, when the one it was moved into ends, then the workers do") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    coterie::pool first{executor, {.processes = 1}};
    coterie::pool second{std::move(first)};
    co_await test::gives(second.apply(twice, 1), 2);
    coterie::pool third{executor, {.processes = 2}};
    auto lost = third.map_async(twice, numbers(100'000), {.chunksize = 1});
    third = std::move(second);
    co_await test::fails_with(lost.get(), coterie::errc::pool_terminated);
    CHECK(third.size() == 1);
    co_await test::gives(third.apply(twice, 2), 4);
    CHECK(test::children().size() == 1);
  });
  CHECK(test::children().empty());
}

TEST_CASE(
    "given results and streams that outlive their pool, when they are used, they still answer") {
  test::run([]() -> asio::awaitable<void> {
    std::optional<coterie::pool> pool{std::in_place, co_await asio::this_coro::executor,
                                      coterie::pool_options{.processes = 1}};
    auto done = pool->apply_async(twice, 4);
    co_await done.wait();
    auto stream = pool->imap(twice, numbers(3));
    co_await test::gives(stream.next(), 0);
    auto pending = pool->map_async(twice, numbers(1'000'000), {.chunksize = 1});
    pool.reset();
    co_await test::gives(done.get(), 8);
    co_await test::fails_with(pending.get(), coterie::errc::pool_terminated);
    pending.cancel();
    while (true) {
      const auto problem = co_await test::failure_of(stream.next());
      if (!problem) break;
      CHECK(test::code_of(problem) == coterie::errc::pool_terminated);
    }
  });
}

TEST_CASE("given many pools one after the other, when each has worked, then nothing piles up") {
  const auto before = test::held_at_rest();
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    for (int round = 0; round < 30; ++round) {
      coterie::pool pool{executor, {.processes = 2}};
      co_await test::gives(pool.apply(twice, round), 2 * round);
    }
  });
  CHECK(test::held_now() == before);
}

TEST_CASE("given a pool that was just destroyed, when the next one is made, then that one works") {
  const auto before = test::held_at_rest();
  {
    // The loop does not turn between the end of one pool and the beginning of the next.
    asio::io_context loop;
    for (int round = 0; round < 40; ++round) {
      INFO("round " << round);
      coterie::pool pool{loop, {.processes = 1}};
      auto result = pool.apply(twice, round, asio::use_future);
      loop.restart();
      const stopwatch watch;
      while (result.wait_for(0s) != std::future_status::ready) {
        loop.run_one_for(promptly);
        REQUIRE(watch.elapsed() < 2 * promptly);
      }
      CHECK(result.get() == 2 * round);
    }
  }
  CHECK(test::held_now() == before);
}

TEST_CASE(
    "given a pool that was just destroyed, when a socket is made, then it gets its own bytes") {
  asio::io_context loop;
  for (int round = 0; round < 20; ++round) {
    std::optional<coterie::pool> pool{std::in_place, loop, coterie::pool_options{.processes = 1}};
    auto result = pool->apply(twice, round, asio::use_future);
    loop.restart();
    while (result.wait_for(0s) != std::future_status::ready) {
      REQUIRE(loop.run_one_for(test::deadline) == 1);
    }
    pool.reset();

    asio::local::stream_protocol::socket near{loop};
    asio::local::stream_protocol::socket far{loop};
    asio::local::connect_pair(near, far);
    std::string bytes(5, '-');
    bool arrived = false;
    near.async_read_some(asio::buffer(bytes),
                         [&](boost::system::error_code problem, std::size_t count) {
                           arrived = !problem && count == 5;
                         });
    asio::write(far, asio::buffer("hello", 5));
    loop.restart();
    loop.run_for(promptly);
    REQUIRE(arrived);
    CHECK(bytes == "hello");
  }
}

TEST_CASE("given two pools on one event loop, when one is terminated, then the other goes on") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    coterie::pool one{executor, {.processes = 1}};
    coterie::pool other{executor, {.processes = 1}};
    auto pending = other.map_async(twice, numbers(1000), {.chunksize = 1});
    co_await test::gives(one.apply(twice, 1), 2);
    one.terminate();
    auto values = co_await pending.get();
    CHECK(values.size() == 1000);
  });
}

TEST_CASE(
    "given a loop that was run on threads of its own, when pools come and go, nothing is left") {
  const auto before = test::held_at_rest();
  {
    asio::io_context loop;
    auto guard = asio::make_work_guard(loop);
    {
      std::jthread first{[&] { loop.run(); }};
      std::jthread second{[&] { loop.run(); }};
      for (int round = 0; round < 10; ++round) {
        coterie::pool pool{loop, {.processes = 2}};
        auto values = pool.map(twice, numbers(100), {.chunksize = 1}, asio::use_future);
        if (round % 2 == 0) {
          CHECK(values.get().size() == 100);
        } else {
          pool.terminate();
          CHECK_THROWS_AS(values.get(), coterie::pool_terminated);
        }
      }
      guard.reset();
    }
  }
  CHECK(test::held_now() == before);
}

// ---- the event loop ends first ----------------------------------------------------------------

namespace {

// Every way to ask for work, as a coroutine that makes its own pool and so is all that owns it.
struct kind_of_call {
  std::string_view name;
  std::function<asio::awaitable<void>(coterie::pool&)> call;
};

const std::vector<kind_of_call>& kinds_of_call() {
  static const std::vector<int> items = numbers(6);
  static const std::vector<std::pair<int, int>> pairs{{1, 2}, {3, 4}, {5, 6}};
  using awaitable = asio::awaitable<void>;
  static const std::vector<kind_of_call> all{
      {"apply", [](coterie::pool& pool) -> awaitable { co_await pool.apply(twice, 1); }},
      {"map", [](coterie::pool& pool) -> awaitable { co_await pool.map(twice, items); }},
      {"starmap", [](coterie::pool& pool) -> awaitable { co_await pool.starmap(sum, pairs); }},
      {"map_settled",
       [](coterie::pool& pool) -> awaitable { co_await pool.map_settled(twice, numbers(6)); }},
      {"starmap_settled",
       [](coterie::pool& pool) -> awaitable { co_await pool.starmap_settled(sum, pairs); }},
      {"imap",
       [](coterie::pool& pool) -> awaitable {
         auto stream = pool.imap(twice, items);
         while (co_await stream.next()) {
         }
       }},
      {"imap_unordered",
       [](coterie::pool& pool) -> awaitable {
         auto stream = pool.imap_unordered(twice, numbers(6));
         while (co_await stream.next()) {
         }
       }},
      {"istarmap",
       [](coterie::pool& pool) -> awaitable {
         auto stream = pool.istarmap(sum, pairs);
         while (co_await stream.next()) {
         }
       }},
      {"apply_async",
       [](coterie::pool& pool) -> awaitable {
         auto pending = pool.apply_async(twice, 1);
         pending.callback([held = std::make_shared<int>(1)](int) {});
         co_await pending.get();
       }},
      {"wait with a limit",
       [](coterie::pool& pool) -> awaitable {
         auto pending = pool.map_async(twice, items);
         co_await pending.wait(1h);
       }},
      {"close and join",
       [](coterie::pool& pool) -> awaitable {
         auto pending = pool.map_async(twice, items);
         pool.close();
         co_await pool.join();
       }},
      {"a task that fails",
       [](coterie::pool& pool) -> awaitable {
         co_await pool.apply([]() -> int { throw std::runtime_error{"as it should"}; });
       }},
  };
  return all;
}

asio::awaitable<void> with_pool_inside(const kind_of_call& kind) {
  coterie::pool pool{co_await asio::this_coro::executor, {.processes = 1}};
  co_await kind.call(pool);
}

asio::awaitable<void> with_pool_outside(const kind_of_call& kind, coterie::pool& pool) {
  co_await kind.call(pool);
}

}  // namespace

TEST_CASE(
    "given a loop that is never run, when it is destroyed with a pool in it, nothing is left") {
  const auto before = test::held_at_rest();
  for (const auto& kind : kinds_of_call()) {
    INFO(kind.name);
    {
      asio::io_context loop;
      asio::co_spawn(loop, with_pool_inside(kind), asio::detached);
    }
    CHECK(test::held_now() == before);
    {
      asio::io_context loop;
      coterie::pool pool{loop, {.processes = 2}};
      asio::co_spawn(loop, with_pool_outside(kind, pool), asio::detached);
    }
    CHECK(test::held_now() == before);
  }
}

TEST_CASE("given each kind of call, when all is dropped after n handlers, then nothing is left") {
  const auto before = test::held_at_rest();
  for (const auto& kind : kinds_of_call()) {
    INFO(kind.name);
    bool ended = false;
    int handlers = 0;
    for (; !ended; ++handlers) {
      {
        asio::io_context loop;
        asio::co_spawn(loop, with_pool_inside(kind),
                       [&](const std::exception_ptr&) { ended = true; });
        for (int each = 0; each < handlers && !ended; ++each) {
          REQUIRE(loop.run_one_for(test::deadline) == 1);
        }
      }
      if (test::held_now() != before) {
        INFO("after " << handlers << " handlers");
        REQUIRE(test::held_now() == before);
      }
    }
    CHECK(handlers > 3);
  }
}

TEST_CASE("given a pool and its loop, when the loop goes first after n handlers, nothing is left") {
  const auto before = test::held_at_rest();
  for (const auto& kind : kinds_of_call()) {
    INFO(kind.name);
    bool ended = false;
    for (int handlers = 0; !ended; ++handlers) {
      {
        auto loop = std::make_unique<asio::io_context>();
        coterie::pool pool{*loop, {.processes = 1}};
        asio::co_spawn(*loop, with_pool_outside(kind, pool),
                       [&](const std::exception_ptr&) { ended = true; });
        for (int each = 0; each < handlers && !ended; ++each) {
          REQUIRE(loop->run_one_for(test::deadline) == 1);
        }
        loop.reset();
        REQUIRE(test::children() == before.processes);
        // Of no use any more, but of no harm either.
        pool.close();
        pool.terminate();
        CHECK(pool.size() == 1);
        CHECK(pool.stats().workers_ready == 0);
      }
      if (test::held_now() != before) {
        INFO("after " << handlers << " handlers");
        REQUIRE(test::held_now() == before);
      }
    }
  }
}

TEST_CASE(
    "given handles that outlive the event loop, when they are dropped, then nothing is left") {
  const auto before = test::held_at_rest();
  {
    std::optional<coterie::stream<int>> stream;
    std::optional<coterie::async_result<int>> pending;
    {
      asio::io_context loop;
      coterie::pool pool{loop, {.processes = 1}};
      stream.emplace(pool.imap(twice, numbers(1000)));
      pending.emplace(pool.apply_async(twice, 1));
      stream->next([held = std::make_shared<int>(1)](const std::exception_ptr&, auto&&) {});
      pending->callback([held = std::make_shared<int>(1)](int) {});
      for (int each = 0; each < 5; ++each) loop.run_one_for(test::deadline);
    }
    CHECK(test::children() == before.processes);
    pending->cancel();
    (void)pending->ready();
  }
  CHECK(test::held_now() == before);
}

TEST_CASE(
    "given a callback that holds the pool, when the loop is destroyed, then nothing is left") {
  const auto before = test::held_at_rest();
  {
    asio::io_context loop;
    auto pool = std::make_shared<coterie::pool>(loop, coterie::pool_options{.processes = 1});
    pool->apply(twice, 1, [pool](const std::exception_ptr&, int) {});
    pool->apply_async(twice, 1).callback([pool](int) {});
    pool->join([pool](const std::exception_ptr&) {});
    pool.reset();
    for (int each = 0; each < 3; ++each) loop.run_one_for(test::deadline);
  }
  CHECK(test::held_now() == before);
}

TEST_CASE("given a handler that throws, when the loop is run again, then the others are called") {
  asio::io_context loop;
  coterie::pool pool{loop, {.processes = 1}};
  int called = 0;
  auto pending = pool.apply_async(twice, 1);
  pending.callback([&](int) {
    ++called;
    throw std::runtime_error{"out of a callback"};
  });
  pending.callback([&](int) {
    ++called;
    pool.close();
  });
  CHECK_THROWS_AS(loop.run_for(test::deadline), std::runtime_error);
  loop.run_for(test::deadline);
  CHECK(called == 2);
  CHECK(loop.stopped());
}
