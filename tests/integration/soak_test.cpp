// SPDX-License-Identifier: BSL-1.0

// Pools that come and go, and workers that die: what they held is given back.

#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <fstream>
#include <string>
#include <vector>

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#include "support/expect.hpp"
#include "support/processes.hpp"
#include "support/run.hpp"
#include "support/sanitized.hpp"
#include "support/signal.hpp"

namespace asio = boost::asio;

namespace {

int one(int value) {
  if (value == 7) ::_exit(1);
  return value;
}

double first_of(const std::vector<double>& values) { return values.front(); }

double die_with(const std::vector<double>& values) {
  ::kill(::getpid(), SIGKILL);
  return values.front();
}

double hang_with(const std::string& begun, const std::vector<double>& values) {
  test::give_signal(begun);
  for (;;) ::pause();
  return values.front();
}

/// The mappings of this process.
std::size_t mappings() {
  std::ifstream file{"/proc/self/maps"};
  std::size_t count = 0;
  for (std::string line; std::getline(file, line);) ++count;
  return count;
}

/// Shared memory that this process has touched, in KiB.
long shared_kib() {
  std::ifstream file{"/proc/self/status"};
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("RssShmem:")) return std::stol(line.substr(9));
  }
  return 0;
}

enum class ending { joined, crashed, destroyed, terminated, dropped };

asio::awaitable<void> live(ending how) {
  const auto executor = co_await asio::this_coro::executor;
  coterie::pool pool{executor, {.processes = 2}};
  co_await test::gives(pool.apply(one, 1), 1);
  switch (how) {
    case ending::joined:
      pool.close();
      co_await pool.join();
      break;
    case ending::crashed:
      co_await test::fails_with(pool.apply(one, 7), coterie::errc::worker_crashed);
      break;
    case ending::destroyed:
      break;
    case ending::terminated:
      pool.terminate();
      co_await pool.join();
      break;
    case ending::dropped: {
      const std::vector<int> items(100, 1);
      auto stream = pool.imap(one, items, {.chunksize = 1});
      co_await stream.next();
      break;
    }
  }
}

}  // namespace

TEST_CASE("given one event loop, when pools come and go in it, then nothing of them stays") {
  // What sanitizers keep is not the pool's.
  constexpr int rounds = test::sanitized ? 8 : 40;
  test::run([]() -> asio::awaitable<void> {
    for (const ending how : {ending::joined, ending::crashed, ending::destroyed, ending::terminated,
                             ending::dropped}) {
      INFO("ending " << static_cast<int>(how));
      co_await live(how);
      co_await live(how);
      const std::size_t open_before = test::descriptors().size();
      // Last: looking takes memory, too, for the first time.
      mappings();
      const std::size_t before = mappings();
      for (int round = 0; round < rounds; ++round) co_await live(how);
      // The heap may have grown by an arena or two, but not with the number of pools.
      CHECK(mappings() <= before + 4);
      CHECK(test::children().empty());
      // Some descriptors are given back a turn of the event loop later.
      co_await test::becomes([&] { return test::descriptors().size() <= open_before + 4; });
    }
  });
}

TEST_CASE("given large arguments, when their worker dies, then their memory is given back") {
  test::run([]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    coterie::pool pool{executor, {.processes = 1}};
    const std::vector<double> large(std::size_t{4} << 20U, 1.0);
    co_await test::gives(pool.apply(first_of, large), 1.0);
    co_await test::fails_with(pool.apply(die_with, large), coterie::errc::worker_crashed);
    co_await test::becomes([] { return shared_kib() < 4096; });
    // The same for a call that nothing waits for any more.
    test::signal begun{executor};
    for (int round = 0; round < 2; ++round) {
      auto pending = pool.apply_async(hang_with, begun.path(), large);
      co_await begun.arrived();
      pending.cancel();
      REQUIRE(co_await test::failure_of(pending.get()));
      co_await test::becomes([] { return shared_kib() < 4096; });
    }
  });
}
