// SPDX-License-Identifier: BSL-1.0

// A worker that ends costs what has begun there, and nothing else: what never began runs elsewhere.

#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <cstdlib>
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

namespace {

constexpr int link_descriptor = 3;

int twice(int value) { return 2 * value; }

std::vector<int> numbers(int count) {
  std::vector<int> all;
  for (int each = 0; each < count; ++each) all.push_back(each);
  return all;
}

int mark_and_double(const std::string& file, int item) {
  test::leave_mark(file);
  return 2 * item;
}

// The first waits until the test says so.
int first_waits(const std::string& begun, const std::string& go_on, const std::string& file,
                int item) {
  test::leave_mark(file);
  if (item == 0) {
    test::give_signal(begun);
    test::await_signal(go_on);
  }
  return 2 * item;
}

// Each that begins writes its number; every 57th then writes nonsense to the parent.
int tally_and_scribble(const std::string& file, int item) {
  std::ofstream out{file, std::ios::binary | std::ios::app};
  out.write(reinterpret_cast<const char*>(&item), sizeof item).flush();
  if (item % 57 == 56) {
    const std::string nonsense(64, '?');
    static_cast<void>(
        ::send(link_descriptor, nonsense.data(), nonsense.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
  }
  return 2 * item;
}

std::multiset<int> tallied(const std::string& file) {
  std::ifstream in{file, std::ios::binary};
  std::multiset<int> all;
  for (int item = 0; in.read(reinterpret_cast<char*>(&item), sizeof item);) all.insert(item);
  return all;
}

/// Ends the process that reads it, unless it is the one that made it.
struct explosive {
  int maker = ::getpid();
  template <class Archive>
  void save(Archive& archive) const {
    archive(maker);
  }
  template <class Archive>
  void load(Archive& archive) {
    archive(maker);
    std::signal(SIGSEGV, SIG_DFL);
    if (maker != ::getpid()) ::raise(SIGSEGV);
  }
};

int beside(const explosive&, int item) { return item; }

asio::awaitable<void> all_ready(coterie::pool& pool) {
  co_await test::becomes([&] { return pool.stats().workers_ready == pool.size(); });
}

/// Kills a child that is not reaped before the event loop has its turn.
void kill_for_good(pid_t worker) {
  ::kill(worker, SIGKILL);
  REQUIRE(test::eventually([&] { return test::status_of(worker).state == 'Z'; }));
}

}  // namespace

TEST_CASE(
    "given an idle worker that is dead, when a call is made before that is known, it succeeds") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 1}};
    const test::directory folder;
    const std::string marks = folder.file("marks");
    const auto task = coterie::bind(mark_and_double, marks);
    for (std::size_t round = 1; round <= 10; ++round) {
      co_await all_ready(pool);
      kill_for_good(test::children().front());
      co_await test::gives(pool.apply(task, 4), 8);
      CHECK(test::marks_in(marks) == round);
    }
    CHECK(pool.stats().tasks_failed == 0);
  });
}

TEST_CASE(
    "given idle workers that are dead, when a map is made before that is known, it succeeds") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 4}};
    const std::size_t chunksize = GENERATE(0, 1, 5, 100);
    INFO("chunksize " << chunksize);
    for (int round = 0; round < 3; ++round) {
      co_await all_ready(pool);
      for (const pid_t worker : test::children()) kill_for_good(worker);
      const auto values = co_await pool.map(twice, numbers(100), {.chunksize = chunksize});
      REQUIRE(values.size() == 100);
      for (int item = 0; item < 100; ++item)
        CHECK(values[static_cast<std::size_t>(item)] == 2 * item);
    }
    CHECK(pool.stats().tasks_failed == 0);
  });
}

TEST_CASE(
    "given a worker that holds more than it runs, when it is killed, then only that is lost") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    coterie::pool pool{executor, {.processes = 1}};
    const test::directory folder;
    const std::string marks = folder.file("marks");
    test::signal begun{executor};
    test::signal go_on{executor};
    const std::size_t chunksize = GENERATE(1, 4, 0);
    INFO("chunksize " << chunksize);
    auto pending = pool.map_async([](int item) { return item; },
                                  numbers(1));  // the pace of another call says nothing
    co_await pending.wait();
    std::optional<std::vector<boost::system::result<int, std::exception_ptr>>> outcomes;
    pool.map_settled(coterie::bind(first_waits, begun.path(), go_on.path(), marks), numbers(9),
                     {.chunksize = chunksize}, [&](const std::exception_ptr& error, auto values) {
                       CHECK(!error);
                       outcomes = std::move(values);
                     });
    co_await begun.arrived();
    ::kill(test::children().front(), SIGKILL);
    co_await test::becomes([&] { return outcomes.has_value(); });
    REQUIRE(outcomes->size() == 9);
    for (std::size_t item = 0; item < 9; ++item)
      CHECK((*outcomes)[item].has_value() == (item != 0));
    CHECK(test::as<coterie::worker_crashed>(outcomes->front().error()).signal() == SIGKILL);
    CHECK(test::marks_in(marks) == 9);  // each began once
  });
}

TEST_CASE("given workers that write nonsense, when they are ended, then what they held runs once") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 2}};
    const test::directory folder;
    const std::string tally = folder.file("tally");
    const std::size_t chunksize = GENERATE(0, 1, 16);
    INFO("chunksize " << chunksize);
    constexpr int count = 600;
    const auto outcomes = co_await pool.map_settled(coterie::bind(tally_and_scribble, tally),
                                                    numbers(count), {.chunksize = chunksize});
    const auto runs = tallied(tally);
    REQUIRE(outcomes.size() == count);
    for (int item = 0; item < count; ++item) {
      INFO("item " << item);
      const auto& outcome = outcomes[static_cast<std::size_t>(item)];
      CHECK(runs.count(item) <= 1);
      if (outcome.has_value()) {
        CHECK(*outcome == 2 * item);
        CHECK(runs.count(item) == 1);
      } else {
        CHECK(test::code_of(outcome.error()) == coterie::errc::protocol_violation);
      }
    }
  });
}

TEST_CASE("given a function whose bytes end the process, when it is called, then items are told") {
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor, {.processes = 1}};
    const auto task = coterie::bind(beside, explosive{});
    const auto outcomes = co_await pool.map_settled(task, numbers(3), {.chunksize = 1});
    REQUIRE(outcomes.size() == 3);
    for (std::size_t item = 0; item < 3; ++item) {
      REQUIRE(outcomes[item].has_error());
      CHECK(test::as<coterie::worker_crashed>(outcomes[item].error()).item() == item);
    }
    CHECK(pool.stats().workers_crashed == 3);
    co_await test::gives(pool.apply(twice, 1), 2);
  });
}

TEST_CASE("given a task that closes all descriptors, when it runs, then the error says so") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    coterie::pool pool{executor, {.processes = 1}};
    test::signal begun{executor};
    const auto closes = [](const std::string& tell) {
      test::give_signal(tell);
      for (int descriptor = 3; descriptor < 64; ++descriptor) ::close(descriptor);
      for (;;) ::pause();
    };
    auto pending = pool.apply_async(closes, begun.path());
    auto behind = pool.apply_async(twice, 4);
    const auto lost = test::as<coterie::worker_crashed>(co_await test::failure_of(pending.get()));
    CHECK(std::string{lost.reason()}.find("close descriptors") != std::string::npos);
    CHECK(std::string{lost.what()}.find("ended by the pool") != std::string::npos);
    CHECK(lost.rank() == 0);
    CHECK(lost.item() == 0);
    CHECK_FALSE(lost.signal().has_value());
    co_await test::gives(behind.get(), 8);
    CHECK(pool.stats().tasks_failed == 1);
  });
}
