// SPDX-License-Identifier: BSL-1.0

// Everything at once, for as long as COTERIE_STRESS_SECONDS says (default: 5): messages from
// nothing to 200 MiB both ways over both kinds of link, tasks that are slow, throw or die, calls
// that are cancelled, streams that are dropped, workers that are killed. Chosen at random, from
// COTERIE_STRESS_SEED if given.

#include <malloc.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <exception>
#include <fstream>
#include <iostream>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#include "stress_caller.hpp"
#include "support/processes.hpp"
#include "support/run.hpp"
#include "support/sanitized.hpp"

namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t most_memory = 1536 * stress::mebibyte;

// Now and then, while no worker is on its way already: one that dies before it is ready counts as
// one that cannot be started.
asio::awaitable<void> kill_workers(std::vector<coterie::pool*> pools, std::uint64_t seed,
                                   stress::counters& done) {
  std::mt19937_64 random{seed};
  asio::steady_timer timer{co_await asio::this_coro::executor};
  for (;;) {
    timer.expires_after(std::chrono::milliseconds{50 + random() % 500});
    co_await timer.async_wait(asio::use_awaitable);
    const bool all_ready = std::ranges::all_of(pools, [](const coterie::pool* each) {
      return each->stats().workers_ready == each->size();
    });
    const auto workers = test::children();
    if (!all_ready || workers.empty()) continue;
    if (::kill(workers[random() % workers.size()], SIGKILL) == 0) ++done.deaths;
  }
}

/// Bytes that a process has in memory.
std::size_t resident(pid_t pid) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/statm"};
  std::size_t all = 0;
  std::size_t pages = 0;
  return file >> all >> pages ? pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

asio::awaitable<void> watch_memory(std::size_t& peak) {
  asio::steady_timer timer{co_await asio::this_coro::executor};
  for (;;) {
    timer.expires_after(50ms);
    co_await timer.async_wait(asio::use_awaitable);
    std::size_t now = resident(::getpid());
    for (const pid_t each : test::children()) now += resident(each);
    peak = std::max(peak, now);
  }
}

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* const given = std::getenv(variable);
  return given != nullptr ? std::strtoull(given, nullptr, 10) : otherwise;
}

// A worker that is killed so late that the pool does not know it yet has died while it was leaving.
asio::awaitable<void> leave(coterie::pool& pool) {
  pool.close();
  try {
    co_await pool.join();
  } catch (const coterie::error& caught) {
    if (caught.code() != coterie::errc::worker_crashed) throw;
  }
}

asio::awaitable<void> everything_at_once(std::chrono::seconds time, std::uint64_t seed,
                                         stress::counters& done, std::size_t& peak) {
  const auto executor = co_await asio::this_coro::executor;
  coterie::pool rings{executor, {.processes = 2}};
  coterie::pool sockets{executor, {.processes = 2, .shared_memory = false}};
  stress::allowance memory{executor, stress::largest_message};
  std::deque<stress::caller> callers;
  for (std::uint64_t number = 1; number <= 6; ++number) {
    callers.emplace_back(number % 2 == 0 ? rings : sockets, memory, done, seed + number);
  }
  const std::vector<coterie::pool*> pools{&rings, &sockets};
  const auto end = std::chrono::steady_clock::now() + time;
  const auto call = [&](std::size_t number) { return callers[number].call_until(end); };
  auto calls = call(0) && call(1) && call(2) && call(3) && call(4) && call(5);
  // Of these the first ends, and with it the others.
  const auto ended = co_await (test::failure_of(std::move(calls)) ||
                               kill_workers(pools, seed, done) || watch_memory(peak));
  if (const auto problem = std::get<0>(ended)) std::rethrow_exception(problem);

  for (coterie::pool* const each : pools) {
    CHECK(each->stats().jobs_pending == 0);
    co_await leave(*each);
  }
}

// Bytes that `malloc` has given out.
std::size_t allocated() {
  const auto now = ::mallinfo2();
  return now.uordblks + now.hblkhd;
}

}  // namespace

TEST_CASE(
    "given all kinds of calls at once, when workers die meanwhile, then each comes out right") {
  const std::chrono::seconds time{number_from("COTERIE_STRESS_SECONDS", 5)};
  const std::uint64_t seed = number_from("COTERIE_STRESS_SEED", std::random_device{}());
  std::cout << "COTERIE_STRESS_SEED=" << seed << std::endl;  // NOLINT: also if the test hangs

  const auto before = test::held_at_rest();
  const std::size_t allocated_before = allocated();
  stress::counters done;
  std::size_t peak = 0;
  test::run([&] { return everything_at_once(time, seed, done, peak); }, time + test::deadline);

  std::cout << done.calls << " calls: " << done.delivered << " items delivered, "
            << done.bytes_in / stress::mebibyte << " MiB in, " << done.bytes_out / stress::mebibyte
            << " MiB out, " << done.thrown << " exceptions\n"
            << done.cancelled << " calls cancelled, " << done.dropped << " streams dropped, "
            << done.deaths << " workers killed, " << done.lost_items << " items lost by it, peak "
            << peak / stress::mebibyte << " MiB\n";
  CHECK(done.delivered > 0);
  // No worker died by itself.
  CHECK(done.lost_workers.size() <= done.deaths);
  CHECK((test::sanitized || peak < most_memory));
  CHECK((test::sanitized || allocated() < allocated_before + stress::mebibyte));
  CHECK(test::held_now() == before);
}
