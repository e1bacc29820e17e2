// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <future>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#include "support/run.hpp"
#include "support/signal.hpp"

namespace asio = boost::asio;

namespace {

int square(int number) { return number * number; }

int refuse_odd(int number) {
  if (number % 2 != 0) throw std::domain_error{"odd"};
  return number;
}

// An event loop that several threads run.
class busy_loop {
 public:
  explicit busy_loop(int threads) {
    for (; threads > 0; --threads) threads_.emplace_back([this] { context.run(); });
  }
  busy_loop(const busy_loop&) = delete;
  busy_loop& operator=(const busy_loop&) = delete;
  ~busy_loop() { finish(); }

  // Waits until nothing is left to do.
  void finish() {
    work_.reset();
    for (auto& each : threads_) each.join();
    threads_.clear();
  }

  asio::io_context context;

 private:
  asio::executor_work_guard<asio::io_context::executor_type> work_{context.get_executor()};
  std::vector<std::thread> threads_;
};

constexpr int rounds = test::sanitized ? 30 : 100;

// Calls `body(thread)` in several threads at a time; what it throws fails the test.
template <class Body>
void in_threads(int threads, Body body) {
  std::vector<std::future<void>> running;
  running.reserve(static_cast<std::size_t>(threads));
  for (int thread = 0; thread < threads; ++thread) {
    running.push_back(std::async(std::launch::async, body, thread));
  }
  for (auto& each : running) each.get();
}

void require(bool condition) {
  if (!condition) throw std::logic_error{"a value is wrong"};
}

}  // namespace

TEST_CASE(
    "given threads that use one pool, when all call at a time, then each gets its own values") {
  busy_loop loop{3};
  coterie::pool pool{loop.context, {.processes = 3}};
  in_threads(4, [&](int thread) {
    for (int round = 0; round < rounds; ++round) {
      const int number = thread * rounds + round;
      require(pool.apply(square, number, asio::use_future).get() == number * number);

      const auto values = pool.map(square, std::views::iota(0, round), {}, asio::use_future).get();
      require(values.size() == static_cast<std::size_t>(round));

      auto stream = pool.imap(refuse_odd, std::views::iota(number, number + 2));
      for (int each = 0; each < 3; ++each) {
        try {
          stream.next(asio::use_future).get();
        } catch (const std::domain_error&) {
        }
      }
      const auto pending = pool.apply_async(refuse_odd, number);
      pending.wait(asio::use_future).get();
      require(pending.successful() == (number % 2 == 0));
      require(pool.stats().workers_crashed == 0);
    }
  });
  CHECK(pool.stats().jobs_pending == 0);
  pool.close();
  pool.join(asio::use_future).get();
  loop.finish();
}

TEST_CASE("given coroutines on several threads, when all call at a time, then values are right") {
  busy_loop loop{4};
  coterie::pool pool{loop.context, {.processes = 2}};
  std::vector<std::future<int>> sums;
  for (int each = 0; each < 8; ++each) {
    sums.push_back(asio::co_spawn(
        asio::make_strand(loop.context),
        [&pool]() -> asio::awaitable<int> {
          int sum = 0;
          for (int round = 0; round < rounds; ++round) {
            sum += co_await pool.apply(square, 2);
            auto numbers = pool.imap_unordered(square, std::views::iota(0, 4));
            while (const auto next = co_await numbers.next()) sum += *next;
          }
          co_return sum;
        },
        asio::use_future));
  }
  for (auto& each : sums) CHECK(each.get() == rounds * (4 + 14));
  pool.close();
  pool.join(asio::use_future).get();
  loop.finish();
}

TEST_CASE("given one handle, when threads look at it at a time, then all see the same") {
  busy_loop loop{2};
  coterie::pool pool{loop.context, {.processes = 2}};
  for (int round = 0; round < rounds; ++round) {
    const auto pending = pool.map_async(square, std::views::iota(0, 20), {.chunksize = 1});
    std::atomic<int> callbacks{0};
    in_threads(3, [&](int thread) {
      pending.callback(
          [&](const std::vector<int>& values) { callbacks += values.size() == 20 ? 1 : 100; });
      if (thread == 0) {
        while (!pending.ready()) require(pending.remaining() <= pending.total());
      }
      require(pending.wait(test::deadline, asio::use_future).get());
      require(pending.get(asio::use_future).get().size() == 20);
      require(pending.successful());
    });
    while (callbacks < 3) std::this_thread::yield();
    REQUIRE(callbacks == 3);
  }
  pool.close();
  pool.join(asio::use_future).get();
  loop.finish();
}

TEST_CASE(
    "given one stream, when threads read it at a time, then each result goes to one of them") {
  busy_loop loop{2};
  coterie::pool pool{loop.context, {.processes = 2}};
  constexpr int items = 20 * rounds;
  auto numbers = pool.imap(square, std::views::iota(0, items));
  std::vector<std::atomic<int>> seen(items);
  in_threads(4, [&](int) {
    while (const auto next = numbers.next(asio::use_future).get()) {
      int root = 0;
      while (root * root < *next) ++root;
      ++seen[static_cast<std::size_t>(root)];
    }
  });
  for (const auto& each : seen) REQUIRE(each == 1);
  pool.close();
  pool.join(asio::use_future).get();
  loop.finish();
}

TEST_CASE(
    "given coroutines on loops of their own, when they read one stream, then each result comes "
    "once and in order") {
  busy_loop loop{2};
  coterie::pool pool{loop.context, {.processes = 2}};
  constexpr int items = 200 * rounds;
  auto numbers = pool.imap(refuse_odd, std::views::iota(0, items), {.chunksize = 5});
  std::vector<std::atomic<int>> seen(items);
  std::atomic<int> refused{0};
  in_threads(4, [&](int) {
    asio::io_context own;
    auto reading = asio::co_spawn(
        own,
        [&]() -> asio::awaitable<void> {
          for (int last = -1;;) {
            try {
              const auto next = co_await numbers.next();
              if (!next) co_return;
              require(last < *next);
              last = *next;
              ++seen[static_cast<std::size_t>(last)];
            } catch (const std::domain_error&) {
              ++refused;
            }
          }
        },
        asio::use_future);
    own.run();
    reading.get();
  });
  CHECK(refused == items / 2);
  for (std::size_t item = 0; item < seen.size(); ++item)
    REQUIRE(seen[item] == (item % 2 == 0 ? 1 : 0));
  pool.close();
  pool.join(asio::use_future).get();
  loop.finish();
}

TEST_CASE(
    "given a pool at work in another thread, when a coroutine reads, then it comes after those "
    "that came before") {
  busy_loop loop{1};
  coterie::pool pool{loop.context, {.processes = 2}};
  auto numbers = pool.imap([](int number) { return number; }, std::views::iota(0, 8));
  while (pool.stats().tasks_done < 8) std::this_thread::yield();

  std::promise<void> begun;
  std::promise<void> go_on;
  const auto slow = std::views::iota(0, 1) | std::views::transform([&](int number) {
                      begun.set_value();
                      go_on.get_future().wait();
                      return number;
                    });
  auto other =
      std::async(std::launch::async, [&] { pool.map(square, slow, {}, asio::use_future).get(); });
  begun.get_future().wait();

  auto first = numbers.next(asio::use_future);
  asio::io_context own;
  auto second = asio::co_spawn(own, numbers.next(), asio::use_future);
  own.poll();
  go_on.set_value();
  own.restart();
  own.run();
  CHECK(first.get() == 0);
  CHECK(second.get() == 1);
  other.get();
  pool.close();
  pool.join(asio::use_future).get();
  loop.finish();
}

TEST_CASE(
    "given threads that cancel what others wait for, when they race, then each ends once _edge") {
  busy_loop loop{3};
  coterie::pool pool{loop.context, {.processes = 2}};
  for (int round = 0; round < rounds; ++round) {
    const auto pending = pool.map_async(square, std::views::iota(0, 30), {.chunksize = 1});
    std::atomic<int> ends{0};
    pending.callback([&](const std::vector<int>&) { ++ends; });
    pending.error_callback([&](const std::exception_ptr&) { ++ends; });
    in_threads(3, [&](int thread) {
      for (int turns = 0; turns < thread * round; ++turns) std::this_thread::yield();
      pending.cancel();
      require(pending.wait(asio::use_future).get());
    });
    require(pool.apply(square, 3, asio::use_future).get() == 9);
    while (ends < 1) std::this_thread::yield();
    REQUIRE(ends == 1);
  }
  pool.close();
  pool.join(asio::use_future).get();
  loop.finish();
}

TEST_CASE("given threads that submit, when another terminates, then every call ends _edge") {
  for (int round = 0; round < rounds / 10; ++round) {
    busy_loop loop{2};
    coterie::pool pool{loop.context, {.processes = 2}};
    std::atomic<int> values{0};
    std::atomic<int> refusals{0};
    in_threads(3, [&](int thread) {
      if (thread == 0) {
        for (int turns = 0; turns < round; ++turns) pool.apply(square, 1, asio::use_future).get();
        pool.terminate();
        pool.terminate();
        return;
      }
      for (bool open = true; open;) {
        try {
          require(pool.apply(square, 3, asio::use_future).get() == 9);
          ++values;
        } catch (const coterie::error&) {
          ++refusals;
          open = false;
        }
      }
    });
    CHECK(refusals == 2);
    pool.join(asio::use_future).get();
    loop.finish();
  }
}

TEST_CASE(
    "given threads, when each makes and destroys pools of its own, then none disturbs another") {
  busy_loop loop{2};
  in_threads(3, [&](int) {
    for (int round = 0; round < 5; ++round) {
      coterie::pool pool{loop.context, {.processes = 2}};
      require(pool.apply(square, 3, asio::use_future).get() == 9);
      [[maybe_unused]] const auto dropped = pool.map_async(square, std::views::iota(0, 100));
    }
  });
  loop.finish();
}
