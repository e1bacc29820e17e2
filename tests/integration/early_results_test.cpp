// SPDX-License-Identifier: BSL-1.0

// Results in front of a long item do not wait for its end, and are not lost with it: through memory
// and over sockets.

#include <csignal>
#include <cstddef>
#include <optional>
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
using outcomes = std::vector<boost::system::result<int, std::exception_ptr>>;

namespace {

constexpr int long_item = 5;

// One item begins, and waits for the test.
int one_waits(const std::string& begun, const std::string& go_on, int item) {
  if (item == long_item) {
    test::give_signal(begun);
    test::await_signal(go_on);
  }
  return 2 * item;
}

// The same, with results that are encoded, some of them large.
std::string one_waits_for_texts(const std::string& go_on, int item) {
  if (item == long_item) test::await_signal(go_on);
  return std::string(item % 3 == 2 ? 300'000U : 20U, static_cast<char>('a' + item));
}

void nothing_but_one_waits(const std::string& begun, const std::string& go_on, int item) {
  one_waits(begun, go_on, item);
}

std::vector<int> numbers(int count) {
  std::vector<int> all;
  for (int each = 0; each < count; ++each) all.push_back(each);
  return all;
}

// The pace of what ran before says how many items a worker is given at once, and claims.
asio::awaitable<void> look_quick(coterie::pool& pool) {
  co_await pool.map([](int item) { return item; }, numbers(1000));
}

}  // namespace

TEST_CASE("given short items before a long one, when they are streamed, then they do not wait") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    const bool shared_memory = GENERATE(true, false);
    const std::size_t chunksize = GENERATE(0, 8, 1);
    INFO("shared memory " << shared_memory << ", chunksize " << chunksize);
    coterie::pool pool{executor, {.processes = 1, .shared_memory = shared_memory}};
    co_await look_quick(pool);
    test::signal begun{executor};
    test::signal go_on{executor};
    auto stream = pool.imap(coterie::bind(one_waits, begun.path(), go_on.path()), numbers(8),
                            {.chunksize = chunksize});
    for (int item = 0; item < long_item; ++item) co_await test::gives(stream.next(), 2 * item);
    go_on.give();
    for (int item = long_item; item < 8; ++item) co_await test::gives(stream.next(), 2 * item);
    co_await test::gives(stream.next(), std::nullopt);
  });
}

TEST_CASE("given texts before a long item, when they are streamed, then they do not wait") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    const bool shared_memory = GENERATE(true, false);
    INFO("shared memory " << shared_memory);
    coterie::pool pool{executor, {.processes = 1, .shared_memory = shared_memory}};
    co_await look_quick(pool);
    test::signal go_on{executor};
    auto stream =
        pool.imap(coterie::bind(one_waits_for_texts, go_on.path()), numbers(8), {.chunksize = 8});
    for (int item = 0; item < 8; ++item) {
      if (item == long_item) go_on.give();
      const auto text = co_await stream.next();
      REQUIRE(text.has_value());
      CHECK(*text == std::string(item % 3 == 2 ? 300'000U : 20U, static_cast<char>('a' + item)));
    }
  });
}

TEST_CASE("given functions that return nothing, when one goes on, then it is told of the others") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    const bool shared_memory = GENERATE(true, false);
    INFO("shared memory " << shared_memory);
    coterie::pool pool{executor, {.processes = 1, .shared_memory = shared_memory}};
    test::signal begun{executor};
    test::signal go_on{executor};
    const auto done = pool.stats().tasks_done;
    auto pending = pool.map_async(coterie::bind(nothing_but_one_waits, begun.path(), go_on.path()),
                                  numbers(8), {.chunksize = 8});
    co_await test::becomes([&] { return pool.stats().tasks_done == done + long_item; });
    go_on.give();
    co_await pending.get();
  });
}

TEST_CASE(
    "given short items before a long one, when the worker is killed, then they are not lost") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    const bool shared_memory = GENERATE(true, false);
    const std::size_t chunksize = GENERATE(0, 8, 1);
    INFO("shared memory " << shared_memory << ", chunksize " << chunksize);
    coterie::pool pool{executor, {.processes = 1, .shared_memory = shared_memory}};
    co_await look_quick(pool);
    test::signal begun{executor};
    test::signal go_on{executor};
    const auto done = pool.stats().tasks_done;
    std::optional<outcomes> all;
    pool.map_settled(coterie::bind(one_waits, begun.path(), go_on.path()), numbers(8),
                     {.chunksize = chunksize}, [&](const std::exception_ptr& error, auto values) {
                       CHECK(!error);
                       all = std::move(values);
                     });
    co_await begun.arrived();
    // Over sockets what has just been finished is in doubt for a moment.
    co_await test::becomes([&] { return pool.stats().tasks_done == done + long_item; });
    ::kill(test::children().front(), SIGKILL);
    co_await test::becomes([&] { return all.has_value(); });
    REQUIRE(all->size() == 8);
    for (std::size_t item = 0; item < long_item; ++item) {
      INFO("item " << item);
      REQUIRE((*all)[item].has_value());
      CHECK(*(*all)[item] == 2 * static_cast<int>(item));
    }
    REQUIRE((*all)[long_item].has_error());
    CHECK(test::as<coterie::worker_crashed>((*all)[long_item].error()).item() == long_item);
  });
}
