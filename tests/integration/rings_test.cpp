// SPDX-License-Identifier: BSL-1.0

// Messages through shared memory: that it is used, that it cannot be had, and that a worker writes
// nonsense into it.

#include <sys/resource.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <numeric>
#include <ranges>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
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

namespace {

int twice(int number) { return 2 * number; }

// In a worker: where the memory lies that it shares with its parent, or nothing.
std::span<std::byte> shared_with_parent() {
  std::ifstream maps{"/proc/self/maps"};
  for (std::string line; std::getline(maps, line);) {
    if (line.find("memfd:coterie") == std::string::npos) continue;
    std::istringstream fields{line};
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    char dash = 0;
    fields >> std::hex >> begin >> dash >> end;
    return {reinterpret_cast<std::byte*>(begin), end - begin};
  }
  return {};
}

std::size_t bytes_shared() { return shared_with_parent().size(); }

// Takes part of the memory for a while, from a task that a test calls with one of these.
enum class scribble { zeros, ones, counters, noise, indices_only };

int scribble_over(scribble how) {
  const auto memory = shared_with_parent();
  if (memory.empty()) throw std::logic_error{"there is no shared memory"};
  unsigned state = 1;
  switch (how) {
    case scribble::zeros:
      std::memset(memory.data(), 0, memory.size());
      break;
    case scribble::ones:
      std::memset(memory.data(), 0xff, memory.size());
      break;
    case scribble::counters:
      for (std::size_t at = 0; at < memory.size(); ++at) memory[at] = static_cast<std::byte>(at);
      break;
    case scribble::noise:
      for (std::byte& each : memory) {
        state = state * 1664525 + 1013904223;
        each = static_cast<std::byte>(state >> 24U);
      }
      break;
    case scribble::indices_only:
      // The words that both sides look at, of both rings.
      std::memset(memory.data(), 0x7f, 256);
      std::memset(memory.data() + memory.size() / 2, 0x7f, 256);
      break;
  }
  return 1;
}

std::vector<std::uint8_t> bytes_of(std::size_t count, int seed) {
  std::vector<std::uint8_t> bytes(count);
  std::iota(bytes.begin(), bytes.end(), static_cast<std::uint8_t>(seed));
  return bytes;
}

std::vector<std::uint8_t> reversed(std::vector<std::uint8_t> bytes) {
  std::ranges::reverse(bytes);
  return bytes;
}

int block_if(const std::string& until, int number) {
  if (number == 20) test::await_signal(until);
  return number;
}

}  // namespace

TEST_CASE("given a pool, when asked for no shared memory, then it takes none; otherwise, some") {
  for (const bool wanted : {true, false}) {
    test::run([wanted]() -> asio::awaitable<void> {
      coterie::pool pool{co_await asio::this_coro::executor,
                         {.processes = 2, .shared_memory = wanted}};
      const std::size_t shared = co_await pool.apply(bytes_shared);
      CHECK((shared > 0) == (wanted && !test::over_sockets()));
      CHECK(pool.stats().workers_without_shared_memory == 0);
    });
  }
}

TEST_CASE("given no leave to make shared memory, when calls are made, then a socket does as well") {
  // The limit for files holds for memory files, too.
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit less{.rlim_cur = 4096, .rlim_max = before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &less) == 0);
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto values = co_await pool.map(twice, std::views::iota(0, 1000));
    CHECK(values.size() == 1000);
    CHECK(values.back() == 1998);
    const std::size_t shared = co_await pool.apply(bytes_shared);
    CHECK(shared == 0);
    if (!test::over_sockets()) CHECK(pool.stats().workers_without_shared_memory == 2);
  });
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
}

TEST_CASE("given messages of all sizes around those of the rings, when sent, they come whole") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    std::vector<std::vector<std::uint8_t>> items;
    for (const std::size_t size :
         {0, 1, 15, 16, 17, 16'335, 16'384, 131'000, 524'000, 524'240, 524'288, 524'289, 600'000,
          1'048'576, 1'100'000, 3'000'000, 10'000'001}) {
      items.push_back(bytes_of(size, static_cast<int>(items.size())));
    }
    for (const std::size_t chunksize : {0, 1, 5}) {
      const auto results = co_await pool.map(reversed, items, {.chunksize = chunksize});
      REQUIRE(results.size() == items.size());
      for (std::size_t place = 0; place < items.size(); ++place) {
        INFO(items[place].size());
        // Not CHECK of the vectors: they are too long to print.
        const bool right = results[place] == reversed(items[place]);
        CHECK(right);
      }
    }
  });
}

TEST_CASE("given a worker that scribbles over the memory, when it returns, the parent stays well") {
  if (test::over_sockets()) return;
  const auto before = test::held_at_rest();
  for (const scribble how : {scribble::zeros, scribble::ones, scribble::counters, scribble::noise,
                             scribble::indices_only}) {
    INFO(static_cast<int>(how));
    test::run([how]() -> asio::awaitable<void> {
      coterie::pool pool{co_await asio::this_coro::executor, {.processes = 2}};
      const int first = co_await pool.apply(twice, 1);
      CHECK(first == 2);
      // The words that wake the parent are among what is overwritten: it looks by itself.
      const auto problem = co_await test::failure_of(pool.apply(scribble_over, how));
      if (problem) {
        // Ended by the parent, or by itself: the first to notice.
        const auto code = test::code_of(problem);
        CHECK((code == coterie::errc::protocol_violation || code == coterie::errc::worker_crashed));
      }
      // Only the worker that did it is replaced, at the latest with the next item that it is sent.
      std::size_t lost = 0;
      for (const auto& each :
           co_await pool.map_settled(twice, std::views::iota(0, 1000), {.chunksize = 1})) {
        lost += each.has_error() ? 1 : 0;
      }
      // What it held may have begun, whatever it says: two messages of up to 64 chunks.
      CHECK(lost <= 2 * 64);
      CHECK(pool.stats().workers_started <= 3);
    });
  }
  CHECK(test::held_now() == before);
}

TEST_CASE("given quick items before a long one, when it runs, then their results have come") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    for (int round = 0; round < 10; ++round) {
      test::signal go_on{pool.get_executor()};
      auto results = pool.imap_unordered(coterie::bind(block_if, go_on.path()),
                                         std::views::iota(0, 40), {.chunksize = 1});
      for (int item = 0; item < 20; ++item) {
        const auto value = co_await results.next();
        REQUIRE(value.has_value());
        CHECK(*value == item);
      }
      go_on.give();
      for (int item = 20; item < 40; ++item) {
        const auto value = co_await results.next();
        REQUIRE(value.has_value());
        CHECK(*value == item);
      }
    }
  });
}
