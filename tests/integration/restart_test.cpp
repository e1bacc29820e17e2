// SPDX-License-Identifier: BSL-1.0

// Workers that end before they are ready: when they are started again, and when no more.

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <limits>
#include <optional>
#include <ranges>
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

void tell_and_wait(const std::string& tell, const std::string& await) {
  test::give_signal(tell);
  test::await_signal(await);
}

void hang(const std::string& begun) {
  test::give_signal(begun);
  for (;;) ::pause();
}

void end_by(int signal) {
  std::signal(signal, SIG_DFL);
  ::raise(signal);
}

// A worker is ready where the file is, and else fails.
void needs(const std::string& file) {
  if (test::marks_in(file) == 0) throw std::runtime_error{"the file is gone"};
}

}  // namespace

TEST_CASE(
    "given workers killed from outside as they start, when one is left alone, calls succeed") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    test::signal begun{executor};
    test::signal go_on{executor};
    const int signal = GENERATE(SIGKILL, SIGTERM, SIGUSR1);
    INFO("signal " << signal);
    const auto initializer = coterie::bind(tell_and_wait, begun.path(), go_on.path());
    coterie::pool pool{executor, {.processes = 1, .initializer = initializer}};
    auto pending = pool.apply_async(twice, 4);
    for (int round = 0; round < 7; ++round) {
      co_await begun.arrived();
      ::kill(test::children().front(), signal);
    }
    co_await begun.arrived();
    go_on.give();
    co_await test::gives(pending.get(), 8);
    CHECK(pool.stats().starts_failed == 7);
    CHECK(pool.stats().workers_crashed == 0);
  });
}

TEST_CASE("given a limit of starts, when more are killed in its window, then the call says so") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    test::signal begun{executor};
    const auto initializer = coterie::bind(hang, begun.path());
    coterie::pool pool{
        executor,
        {.processes = 1, .initializer = initializer, .restart_limit = {.starts = 4, .window = 1h}}};
    auto pending = pool.apply_async(twice, 4);
    for (int round = 0; round < 5; ++round) {
      co_await begun.arrived();
      ::kill(test::children().front(), SIGKILL);
    }
    const auto error = test::as<coterie::start_failed>(co_await test::failure_of(pending.get()));
    CHECK(std::string{error.reason()}.find("SIGKILL") != std::string::npos);
    CHECK(std::string{error.reason()}.find("initializer") != std::string::npos);
    CHECK(pool.stats().starts_failed == 5);
  });
}

TEST_CASE("given an initializer that ends its process, when it repeats, then three are enough") {
  test::run([]() -> asio::awaitable<void> {
    const int signal = GENERATE(SIGSEGV, SIGABRT, SIGFPE);
    INFO("signal " << signal);
    const auto initializer = coterie::bind(end_by, signal);
    const auto executor = co_await asio::this_coro::executor;
    coterie::pool pool{executor, {.processes = 1, .initializer = initializer}};
    test::as<coterie::start_failed>(co_await test::failure_of(pool.apply(twice, 4)));
    CHECK(pool.stats().starts_failed == 3);
  });
}

TEST_CASE("given results that are there, when no more worker can start, then each item is told") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    const test::directory folder;
    const std::string there = folder.file("there");
    test::leave_mark(there);
    const bool sized = GENERATE(true, false);
    INFO("an input whose length is known: " << sized);
    const auto initializer = coterie::bind(needs, there);
    coterie::pool pool{executor, {.processes = 1, .initializer = initializer}};
    std::vector<int> items;
    for (int each = 0; each < 40; ++each) items.push_back(each);
    const auto task = coterie::bind(
        [](const std::string& file, int item) {
          if (item != 20) return 2 * item;
          // The last that this worker does, and no other can take its place.
          ::unlink(file.c_str());
          end_by(SIGKILL);
          return 0;
        },
        there);
    auto counted = items | std::views::filter([](int) { return true; });
    std::vector<boost::system::result<int, std::exception_ptr>> outcomes;
    if (sized) {
      outcomes = co_await pool.map_settled(task, items, {.chunksize = 1});
    } else {
      outcomes = co_await pool.map_settled(task, counted, {.chunksize = 1});
    }
    REQUIRE(outcomes.size() == 40);
    for (std::size_t item = 0; item < 40; ++item) {
      INFO("item " << item);
      REQUIRE(outcomes[item].has_value() == (item < 20));
      if (item < 20) CHECK(*outcomes[item] == 2 * static_cast<int>(item));
      if (item == 20) test::as<coterie::worker_crashed>(outcomes[item].error());
      if (item > 20) test::as<coterie::start_failed>(outcomes[item].error());
    }
    CHECK(pool.stats().jobs_pending == 0);
    // A call made later asks for another try.
    test::leave_mark(there);
    co_await test::gives(pool.apply(twice, 4), 8);
  });
}

TEST_CASE("given a restart limit out of range, when a pool is made, then it is refused") {
  asio::io_context loop;
  CHECK_THROWS_AS((coterie::pool{loop, {.processes = 1, .restart_limit = {.starts = -1}}}),
                  std::invalid_argument);
  CHECK_THROWS_AS((coterie::pool{loop, {.processes = 1, .restart_limit = {.window = 0s}}}),
                  std::invalid_argument);
}

TEST_CASE("given times without end, when a pool is made with them, then it works as without") {
  test::run([]() -> asio::awaitable<void> {
    constexpr auto longest = std::chrono::nanoseconds::max();
    const auto executor = co_await asio::this_coro::executor;
    coterie::pool pool{
        executor,
        {.processes = 1,
         .start_timeout = longest,
         .restart_limit = {.starts = std::numeric_limits<int>::max(), .window = longest}}};
    co_await test::gives(pool.apply(twice, 4), 8);
    auto pending = pool.apply_async(twice, 5);
    co_await test::gives(pending.get(longest), 10);
    co_await test::gives(pending.get(std::chrono::hours::max()), 10);
    co_await test::gives(pending.wait(std::chrono::hours::min()), true);
    co_await test::gives(pending.get(std::chrono::nanoseconds::min()), 10);
  });
}

TEST_CASE("given any chunksize and window, when a worker dies, then each item has one outcome") {
  static constexpr auto most = std::numeric_limits<std::size_t>::max();
  const std::size_t chunksize =
      GENERATE(std::size_t{most}, most - 15, most / 2 + 1, std::size_t{1} << 40U, std::size_t{7});
  const std::size_t window = GENERATE(std::size_t{0}, most, std::size_t{1} << 40U);
  INFO("chunksize " << chunksize << ", window " << window);
  test::run([=]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    coterie::pool pool{executor, {.processes = 2}};
    std::vector<int> items;
    for (int each = 0; each < 30; ++each) items.push_back(each);
    const test::directory folder;
    const auto task = [](const std::string& marks, int item) {
      test::leave_mark(marks);
      if (item == 5) end_by(SIGKILL);
      return 2 * item;
    };
    const auto outcomes =
        co_await pool.map_settled(coterie::bind(task, folder.file("marks")), items,
                                  {.chunksize = chunksize, .window = window});
    REQUIRE(outcomes.size() == 30);
    CHECK(outcomes[5].has_error());
    CHECK(test::marks_in(folder.file("marks")) <= 30);  // none ran twice
    auto stream = pool.imap(twice, items, {.chunksize = chunksize, .window = window});
    for (int item = 0; item < 30; ++item)
      co_await test::gives(stream.next(), std::optional{2 * item});
  });
}
