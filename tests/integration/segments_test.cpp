// SPDX-License-Identifier: BSL-1.0

// Large messages: that they lie in memory of their own, which is used again, given back, and cannot
// always be had.

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <numeric>
#include <ranges>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#include "support/expect.hpp"
#include "support/processes.hpp"
#include "support/run.hpp"
#include "support/sanitized.hpp"
#include "support/shared_memory.hpp"
#include "support/signal.hpp"

namespace asio = boost::asio;

namespace {

using bytes = std::vector<std::uint8_t>;
using view = std::span<const std::uint8_t>;

constexpr std::size_t large = 3'000'000;

bytes bytes_of(std::size_t count, int seed) {
  bytes made(count);
  std::iota(made.begin(), made.end(), static_cast<std::uint8_t>(seed));
  return made;
}

bool right(view given, int seed) {
  auto expected = static_cast<std::uint8_t>(seed);
  return std::ranges::all_of(given, [&](std::uint8_t each) { return each == expected++; });
}

// The memory that this process shares with its parent or its workers.
struct mapping {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  std::string rights;
};

std::vector<mapping> shared_memory() {
  std::vector<mapping> all;
  std::ifstream maps{"/proc/self/maps"};
  for (std::string line; std::getline(maps, line);) {
    if (line.find("memfd:coterie") == std::string::npos) continue;
    std::istringstream fields{line};
    mapping found;
    char dash = 0;
    fields >> std::hex >> found.begin >> dash >> found.end >> found.rights;
    all.push_back(found);
  }
  return all;
}

int mappings() { return static_cast<int>(shared_memory().size()); }

// How the memory may be used in which the argument lies; nothing if that is not shared.
std::string rights_of(view given) {
  const auto place = reinterpret_cast<std::uintptr_t>(given.data());
  for (const mapping& each : shared_memory()) {
    if (each.begin <= place && place < each.end) return each.rights;
  }
  return {};
}

int first_waits(const std::string& until, view given) {
  if (given.front() == 0) test::await_signal(until);
  return given.front();
}

int write_to(view given) {
  std::signal(SIGSEGV, SIG_DFL);  // sanitizers have a handler of their own
  const_cast<std::uint8_t&>(given.front()) = 1;
  return 0;
}

bytes same(view given) { return {given.begin(), given.end()}; }
int mappings_after(view given) { return given.empty() ? -1 : mappings(); }

// Stays with its argument until it is told to go on, and then leaves a mark if it still is what it
// was.
void look_twice(const std::string& begun, const std::string& until, const std::string& marks,
                view given) {
  test::give_signal(begun);
  test::await_signal(until);
  if (right(given, 1)) test::leave_mark(marks);
}

// Restores what it was when it goes.
class limit {
 public:
  limit(__rlimit_resource which, rlim_t value) : which_{which} {
    REQUIRE(::getrlimit(which_, &before_) == 0);
    const rlimit less{.rlim_cur = value, .rlim_max = before_.rlim_max};
    REQUIRE(::setrlimit(which_, &less) == 0);
  }
  limit(const limit&) = delete;
  limit& operator=(const limit&) = delete;
  ~limit() { ::setrlimit(which_, &before_); }

 private:
  __rlimit_resource which_;
  rlimit before_{};
};

}  // namespace

TEST_CASE(
    "given large arguments, when one worker is stuck in the first, then the other runs the rest") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    test::signal go_on{pool.get_executor()};
    std::vector<bytes> items;
    for (int item = 0; item < 9; ++item) items.push_back(bytes_of(large, item));
    auto call = pool.map_async(coterie::bind(first_waits, go_on.path()), items, {.chunksize = 1});
    // What lies in the memory of the first worker has to be moved.
    while (call.remaining() > 1) co_await asio::post(asio::use_awaitable);
    go_on.give();
    const auto numbers = co_await call.get();
    CHECK(std::ranges::equal(numbers, std::views::iota(0, 9)));
  });
}

TEST_CASE("given a large argument, when a function views it, then it lies in shared memory") {
  if (test::over_sockets()) return;
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto given = bytes_of(large, 1);
    const std::string rights = co_await pool.apply(rights_of, given);
    CHECK(rights == "r--s");
    const auto few = bytes_of(1000, 1);
    const std::string elsewhere = co_await pool.apply(rights_of, few);
    CHECK(elsewhere.empty());
  });
}

TEST_CASE("given a large argument, when a function writes over it, then its worker crashes") {
  if (test::over_sockets()) return;
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto given = bytes_of(large, 1);
    const auto problem = co_await test::failure_of(pool.apply(write_to, given));
    CHECK(test::code_of(problem) == coterie::errc::worker_crashed);
    const auto after = co_await pool.apply(same, given);
    CHECK(right(after, 1));
  });
}

TEST_CASE("given many large messages, when they come and go, then their memory is used again") {
  if (test::over_sockets()) return;
  const int before = mappings();
  test::with_pool(1, [before](coterie::pool& pool) -> asio::awaitable<void> {
    int most = 0;
    for (int round = 0; round < 40; ++round) {
      const auto given = bytes_of(large + static_cast<std::size_t>(round) * 50'000, round);
      const auto result = co_await pool.apply(same, given);
      CHECK(result == given);
      const int now = co_await pool.apply(mappings_after, given);
      most = std::max(most, now);
    }
    // The rings, three for arguments, and two for results.
    CHECK(most <= 6);
    CHECK(mappings() - before <= 6);
  });
  CHECK(mappings() == before);
}

TEST_CASE("given large messages long ago, when nothing happens, then their memory is given back") {
  if (test::over_sockets()) return;
  const int before = mappings();
  test::with_pool(1, [before](coterie::pool& pool) -> asio::awaitable<void> {
    for (int burst = 0; burst < 2; ++burst) {
      const auto given = bytes_of(large, burst);
      const auto result = co_await pool.apply(same, given);
      CHECK(result == given);
      CHECK(mappings() > before + 1);
      co_await test::becomes([before] { return mappings() == before + 1; });
      const int in_worker = co_await pool.apply(mappings);
      CHECK(in_worker == 1);
    }
  });
}

TEST_CASE(
    "given a function at work on a large argument, when cancelled, its view stays as it was") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const test::directory directory;
    const std::string marks = directory.file("marks");
    test::signal begun{pool.get_executor()};
    test::signal until{pool.get_executor()};
    const auto given = bytes_of(large, 1);
    asio::cancellation_signal cancel;
    bool completed = false;
    pool.apply(look_twice, begun.path(), until.path(), marks, given,
               asio::bind_cancellation_slot(cancel.slot(),
                                            [&](const std::exception_ptr&) { completed = true; }));
    co_await begun.arrived();
    cancel.emit(asio::cancellation_type::total);
    co_await test::becomes([&] { return completed; });

    // These are encoded while it is still at work.
    const auto other = bytes_of(large, 7);
    const std::vector<bytes> others{other, other, other, other, other};
    auto later = pool.map_async(same, others, {.chunksize = 1});
    until.give();
    const auto results = co_await later.get();
    CHECK(std::ranges::all_of(results, [](const bytes& each) { return right(each, 7); }));
    CHECK(test::marks_in(marks) == 1);
  });
}

TEST_CASE(
    "given no leave to make more memory, when large messages are sent, they arrive all the same") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto given = bytes_of(4 * large, 3);
    // Enough for the rings, which are there; the workers have it from their parent.
    co_await test::becomes([&] { return pool.stats().workers_ready == pool.size(); });
    SECTION("of files so long") {
      const limit no_longer{RLIMIT_FSIZE, 2U << 20U};
      const auto result = co_await pool.apply(same, given);
      CHECK(result == given);
    }
    SECTION("because there are no descriptors") {
      if (test::sanitized) co_return;  // sanitizers need some themselves
      const limit none_left{RLIMIT_NOFILE, static_cast<rlim_t>(test::descriptors().size())};
      const auto result = co_await pool.apply(same, given);
      CHECK(result == given);
    }
    const auto result = co_await pool.apply(same, given);
    CHECK(result == given);
  });
}

TEST_CASE("given workers that die over large arguments, when others wait behind, those are run") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    std::vector<bytes> items;
    for (int item = 0; item < 40; ++item) items.push_back(bytes_of(500'000, item));
    std::size_t lost = 0;
    const auto outcomes = co_await pool.map_settled(
        [](view given) {
          if (given.front() % 10 == 9) std::raise(SIGKILL);
          return bytes(given.begin(), given.end());
        },
        items, {.chunksize = 1});
    for (std::size_t item = 0; item < outcomes.size(); ++item) {
      if (outcomes[item].has_error()) {
        ++lost;
        CHECK(item % 10 == 9);
      } else {
        CHECK(right(*outcomes[item], static_cast<int>(item)));
      }
    }
    CHECK(lost == 4);
  });
}
