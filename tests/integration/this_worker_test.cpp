// SPDX-License-Identifier: BSL-1.0

// What a task knows of the item it runs on, and of its worker.

#include <csignal>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#include "support/expect.hpp"
#include "support/run.hpp"
#include "support/shared_memory.hpp"
#include "support/signal.hpp"

namespace asio = boost::asio;

namespace {

namespace here = coterie::this_worker;

std::int64_t own_index(int) { return here::item(); }
std::int64_t own_index_of(const std::string&) { return here::item(); }
std::string own_index_as_text(int) { return std::to_string(here::item()); }
std::int64_t index_or_failure(int value) {
  if (value % 3 == 1) throw std::runtime_error{std::to_string(here::item())};
  return here::item();
}
std::uint64_t own_seed(int) { return here::seed(); }
std::int64_t incarnation() { return here::incarnation(); }
void die() { std::raise(SIGKILL); }

// The first worker to come here dies.
std::uint64_t seed_after_a_crash(const std::string& mark, int value) {
  if (value == 5 && test::marks_in(mark) == 0) {
    test::leave_mark(mark);
    std::raise(SIGKILL);
  }
  return here::seed();
}

std::int64_t item_at_start = 0;
std::uint64_t seed_at_start = 1;
void note_start() {
  item_at_start = here::item();
  seed_at_start = here::seed();
}
std::pair<std::int64_t, std::uint64_t> noted_start() { return {item_at_start, seed_at_start}; }

std::vector<std::int64_t> indices(std::size_t count) {
  std::vector<std::int64_t> all(count);
  for (std::size_t each = 0; each < count; ++each) all[each] = static_cast<std::int64_t>(each);
  return all;
}

}  // namespace

TEST_CASE("given many items, when each asks for its index, then it has the one in the call") {
  for (const bool memory : {true, false}) {
    for (const std::size_t chunksize : {0, 1, 7, 5000}) {
      test::run([=]() -> asio::awaitable<void> {
        coterie::pool pool{co_await asio::this_coro::executor,
                           {.processes = 3, .shared_memory = memory}};
        const std::vector<int> items(3000);
        const auto expected = indices(items.size());
        const coterie::map_options options{.chunksize = chunksize};
        const auto raw = co_await pool.map(own_index, items, options);
        CHECK(raw == expected);
        const std::vector<std::string> words(500, "word");
        const auto of_words = co_await pool.map(own_index_of, words, options);
        CHECK(of_words == indices(words.size()));
        const auto texts = co_await pool.map(own_index_as_text, items, options);
        CHECK(texts.size() == items.size());
        bool right = true;
        for (std::size_t each = 0; each < texts.size(); ++each) {
          right = right && texts[each] == std::to_string(each);
        }
        CHECK(right);
        auto stream = pool.imap(own_index, items, {.chunksize = chunksize});
        const auto streamed = co_await test::drain(stream);
        CHECK(streamed == expected);
      });
    }
  }
}

TEST_CASE("given items of which some throw, when they ask for their index, then it is right") {
  for (const bool memory : {true, false}) {
    test::run([=]() -> asio::awaitable<void> {
      coterie::pool pool{co_await asio::this_coro::executor,
                         {.processes = 2, .shared_memory = memory}};
      std::vector<int> items;
      for (int each = 0; each < 300; ++each) items.push_back(each);
      const auto outcomes = co_await pool.map_settled(index_or_failure, items, {.chunksize = 40});
      for (std::size_t each = 0; each < outcomes.size(); ++each) {
        if (outcomes[each].has_value()) {
          CHECK(*outcomes[each] == static_cast<std::int64_t>(each));
        } else {
          CHECK(test::as<std::runtime_error>(outcomes[each].error()).what() ==
                std::to_string(each));
        }
      }
    });
  }
}

TEST_CASE(
    "given calls of a pool, when their items ask for seeds, then only calls and items matter") {
  std::vector<std::vector<std::uint64_t>> first;
  for (const int processes : {1, 3}) {
    for (const std::size_t chunksize : {0, 11}) {
      std::vector<std::vector<std::uint64_t>> all;
      test::with_pool(processes, [&](coterie::pool& pool) -> asio::awaitable<void> {
        const std::vector<int> items(200);
        const coterie::map_options options{.chunksize = chunksize};
        for (int call = 0; call < 2; ++call) {
          auto seeds = co_await pool.map(own_seed, items, options);
          all.push_back(std::move(seeds));
        }
        const auto one = co_await pool.apply(own_seed, 1);
        all.push_back({one});
      });
      if (first.empty()) first = all;
      CHECK(all == first);
    }
  }
  std::set<std::uint64_t> different;
  for (const auto& each : first) different.insert(each.begin(), each.end());
  CHECK(different.size() == 401);
}

TEST_CASE("given a seed of a call or of the pool, when items ask, then they have others by it") {
  std::vector<std::uint64_t> by_pool;
  std::vector<std::uint64_t> by_call;
  for (const std::uint64_t seed : {1, 1, 2}) {
    test::run([&, seed]() -> asio::awaitable<void> {
      coterie::pool pool{co_await asio::this_coro::executor, {.processes = 2, .seed = seed}};
      const std::vector<int> items(10);
      const auto unseeded = co_await pool.map(own_seed, items);
      const auto seeded = co_await pool.map(own_seed, items, {.seed = 7});
      auto stream = pool.imap(own_seed, items, {.seed = 7});
      const auto streamed = co_await test::drain(stream);
      CHECK(streamed == seeded);
      by_pool.push_back(unseeded.front());
      by_call.push_back(seeded.front());
    });
  }
  CHECK(by_pool[0] == by_pool[1]);
  CHECK(by_pool[0] != by_pool[2]);
  CHECK(by_call[0] == by_call[2]);
  // The published sequence of SplitMix64 for the seed 7.
  CHECK(by_call[0] == 7191089600892374487U);
}

TEST_CASE("given a crash, when what comes after it asks for seeds, then they are as without it") {
  const test::directory directory;
  std::vector<std::uint64_t> seeds;
  std::vector<std::uint64_t> after;
  test::with_pool(2, [&](coterie::pool& pool) -> asio::awaitable<void> {
    std::vector<int> items;
    for (int each = 0; each < 50; ++each) items.push_back(each);
    const auto function = coterie::bind(seed_after_a_crash, directory.file("mark"));
    const auto outcomes = co_await pool.map_settled(function, items, {.chunksize = 10, .seed = 3});
    seeds = co_await pool.map(function, items, {.seed = 3});
    int crashed = 0;
    for (std::size_t each = 0; each < outcomes.size(); ++each) {
      if (outcomes[each].has_value()) {
        CHECK(*outcomes[each] == seeds[each]);
      } else {
        ++crashed;
      }
    }
    // Over sockets, what ran in the last fraction of a millisecond is lost as well.
    CHECK((test::over_sockets() ? crashed >= 1 : crashed == 1));
  });
}

TEST_CASE("given workers that are replaced, when asked, then each knows how many came before it") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    for (std::int64_t each = 0; each < 3; ++each) {
      co_await test::gives(pool.apply(incarnation), each);
      co_await test::fails_with(pool.apply(die), coterie::errc::worker_crashed);
    }
  });
}

TEST_CASE("given no item, when its index and its seed are asked for, then there are none") {
  CHECK(here::item() == -1);
  CHECK(here::seed() == 0);
  CHECK(here::incarnation() == -1);
  test::run([]() -> asio::awaitable<void> {
    coterie::pool pool{co_await asio::this_coro::executor,
                       {.processes = 1, .initializer = note_start}};
    const std::pair<std::int64_t, std::uint64_t> none{-1, 0};
    co_await test::gives(pool.apply(noted_start), none);
  });
}
