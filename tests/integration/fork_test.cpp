// SPDX-License-Identifier: BSL-1.0

// Processes that are forked from the parent of a pool: whatever they do with their copy of the
// pool, the pool goes on.

#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#include "support/child.hpp"
#include "support/expect.hpp"
#include "support/processes.hpp"
#include "support/program.hpp"
#include "support/run.hpp"
#include "support/signal.hpp"

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

int twice(int value) { return 2 * value; }
int own_pid() { return ::getpid(); }

int await_and_return(const std::string& path, int value) {
  test::await_signal(path);
  return value;
}

const std::vector<int> items{1, 2, 3};

template <class Call>
bool is_refused(Call call) {
  try {
    static_cast<void>(call());
  } catch (const coterie::error& problem) {
    return problem.code() == coterie::errc::forked &&
           std::string{problem.what()}.find(std::to_string(::getppid())) != std::string::npos;
  }
  return false;
}

template <class T>
T result_of(asio::io_context& loop, std::future<T> future) {
  loop.restart();
  while (future.wait_for(0s) != std::future_status::ready) loop.run_one_for(1s);
  return future.get();
}

// A pool with workers that wait in a task, on a loop that may be destroyed.
struct busy_pool {
  explicit busy_pool(bool shared_memory)
      : pool{std::in_place, *loop,
             coterie::pool_options{.processes = 2, .shared_memory = shared_memory}},
        stream{pool->imap(twice, std::vector<int>{1, 2, 3, 4})} {
    result_of(*loop, pool->apply(twice, 1, asio::use_future));
    pending.emplace(pool->apply_async(await_and_return, go->path(), 7));
    waiting = pending->get(asio::use_future);
    result_of(*loop, asio::co_spawn(*loop, until_begun(), asio::use_future));
  }

  asio::awaitable<void> until_begun() {
    co_await test::becomes([] {
      const auto all = test::children();
      return std::ranges::any_of(all, [](pid_t each) {
        return test::waits_in(each, SYS_openat) || test::waits_in(each, SYS_read);
      });
    });
  }

  std::unique_ptr<asio::io_context> loop = std::make_unique<asio::io_context>(1);
  std::unique_ptr<test::signal> go = std::make_unique<test::signal>(loop->get_executor());
  std::optional<coterie::pool> pool;
  coterie::stream<int> stream;
  std::optional<coterie::async_result<int>> pending;
  std::future<int> waiting;
};

void check_it_goes_on(busy_pool& busy) {
  busy.go->give();
  CHECK(result_of(*busy.loop, std::move(busy.waiting)) == 7);
  CHECK(result_of(*busy.loop, busy.pool->map(twice, items, {}, asio::use_future)) ==
        std::vector<int>{2, 4, 6});
  CHECK(result_of(*busy.loop, busy.stream.next(asio::use_future)) == 2);
  CHECK(busy.pool->stats().workers_crashed == 0);
  CHECK(busy.pool->stats().workers_started == 2);
}

}  // namespace

TEST_CASE("given a busy pool, when a forked child destroys its copy, then the pool goes on") {
  const bool shared_memory = GENERATE(true, false);
  busy_pool busy{shared_memory};
  const int code = test::in_child([&] {
    {
      const auto stream = std::move(busy.stream);
    }
    busy.pending.reset();
    busy.pool.reset();
    return 5;
  });
  CHECK(code == 5);
  check_it_goes_on(busy);
}

TEST_CASE("given a busy pool, when a forked child destroys the event loop, then the pool goes on") {
  const bool shared_memory = GENERATE(true, false);
  const bool pool_first = GENERATE(true, false);
  busy_pool busy{shared_memory};
  const int code = test::in_child([&] {
    if (pool_first) busy.pool.reset();
    // What an io_context's own objects do to it in a child is Asio's affair.
    static_cast<void>(busy.go.release());
    busy.loop.reset();
    busy.pool.reset();
    return 5;
  });
  CHECK(code == 5);
  check_it_goes_on(busy);
}

TEST_CASE("given a pool, when a forked child uses it, then each way is refused and says why") {
  busy_pool busy{true};
  const int code = test::in_child([&] {
    coterie::pool& pool = *busy.pool;
    const bool refused[] = {
        is_refused([&] { return pool.apply(twice, 1); }),
        is_refused([&] { return pool.apply(twice, 1, asio::use_future); }),
        is_refused([&] { return pool.apply_async(twice, 1); }),
        is_refused([&] { return pool.map(twice, items); }),
        is_refused([&] { return pool.map_async(twice, items); }),
        is_refused([&] { return pool.map_settled(twice, items); }),
        is_refused([&] { return pool.imap(twice, items); }),
        is_refused([&] { return pool.imap_unordered(twice, items); }),
        is_refused([&] { return pool.close(); }),
        is_refused([&] { return pool.terminate(); }),
        is_refused([&] { return pool.join(); }),
        is_refused([&] { return pool.stats(); }),
        is_refused([&] { return busy.stream.next(); }),
        is_refused([&] { return busy.pending->wait(); }),
        is_refused([&] { return busy.pending->get(1s); }),
        is_refused([&] { return busy.pending->cancel(); }),
        is_refused([&] { return busy.pending->callback([](int) {}); }),
        is_refused([&] { return busy.pending->error_callback([](const std::exception_ptr&) {}); }),
        is_refused([&] { const coterie::pool other{*busy.loop}; }),
    };
    int number = 10;
    for (const bool each : refused) {
      if (!each) return number;
      ++number;
    }
    return pool.size() == 2 && !busy.pending->ready() ? 5 : 6;
  });
  CHECK(code == 5);
  check_it_goes_on(busy);
}

TEST_CASE(
    "given a pool, when a child made without fork's handlers ends it, then the pool goes on") {
  busy_pool busy{true};
  const pid_t child = ::_Fork();
  if (child == 0) {
    const bool refused =
        is_refused([&] { busy.pool->close(); }) && is_refused([&] { busy.pool->terminate(); });
    busy.pool.reset();
    ::_exit(refused ? 5 : 6);
  }
  CHECK(test::end_of_child(child) == 5);
  check_it_goes_on(busy);
}

TEST_CASE("given a pool, when a forked child makes one of its own, then both work") {
  busy_pool busy{true};
  const int code = test::in_child([&] {
    std::vector<pid_t> workers;
    {
      asio::io_context loop{1};
      coterie::pool pool{loop, {.processes = 2}};
      const auto doubled = result_of(loop, pool.map(twice, items, {}, asio::use_future));
      if (doubled != std::vector<int>{2, 4, 6}) return 6;
      workers = test::children();
    }
    return workers.size() == 2 && test::all_gone(workers) ? 5 : 7;
  });
  CHECK(code == 5);
  check_it_goes_on(busy);
}

TEST_CASE("given a pool of a forked child, when the child is killed, then its workers end") {
  busy_pool busy{true};
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    asio::io_context loop{1};
    coterie::pool pool{loop, {.processes = 1}};
    const pid_t worker = result_of(loop, pool.apply(own_pid, asio::use_future));
    static_cast<void>(pool.apply_async([] {
      for (;;) ::pause();
    }));
    loop.run_for(100ms);
    const auto written = ::write(ends[1], &worker, sizeof worker);
    for (;;) ::pause();
    ::_exit(static_cast<int>(written));
  }
  pid_t worker = 0;
  REQUIRE(::read(ends[0], &worker, sizeof worker) == sizeof worker);
  ::close(ends[0]);
  ::close(ends[1]);
  ::kill(child, SIGKILL);
  CHECK(test::end_of_child(child) == -SIGKILL);
  CHECK(test::eventually([&] { return test::gone(worker); }));
  check_it_goes_on(busy);
}

TEST_CASE("given a pool in a static, when a forked child leaves by exit, then the tasks go on") {
  const std::string mode = GENERATE("child_exits", "child_returns_from_main");
  INFO(mode);
  test::program fixture{{mode}};
  CHECK(fixture.line() == "child 0");
  fixture.say("go");
  CHECK(fixture.line() == "values 3");
  CHECK(fixture.line() == "crashed 0");
  CHECK(fixture.exit_code() == 0);
  CHECK(fixture.rest_of_error().empty());
}
