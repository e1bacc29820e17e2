// SPDX-License-Identifier: BSL-1.0

// A range that is borrowed is read no more once the call has ended, whichever thread is inside it.

#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#include "support/run.hpp"

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

int twice(int value) { return 2 * value; }

// A range whose first reader waits inside it until it is let go on.
class guarded_range {
 public:
  auto view() {
    return std::views::iota(0, 1000) | std::views::transform([this](int value) {
             reads_.fetch_add(1);
             if (value == 0) wait_inside();
             return value;
           });
  }

  /// Returns when a thread is inside.
  void await_reader() {
    if (inside_.get_future().wait_for(test::deadline) != std::future_status::ready) {
      throw std::runtime_error{"the range is not read"};
    }
  }
  void let_go_on() { go_on_.set_value(); }
  [[nodiscard]] bool is_left() const { return left_.load(); }
  [[nodiscard]] int reads() const { return reads_.load(); }

 private:
  void wait_inside() {
    inside_.set_value();
    go_on_.get_future().wait_for(test::deadline);
    left_ = true;
  }

  std::promise<void> inside_;
  std::promise<void> go_on_;
  std::atomic<bool> left_ = false;
  std::atomic<int> reads_ = 0;
};

// An event loop that a thread of its own runs.
class running_loop {
 public:
  running_loop() : thread_{[this] { loop.run(); }} {}
  ~running_loop() { work_.reset(); }

  asio::io_context loop;

 private:
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_{
      asio::make_work_guard(loop)};
  std::jthread thread_;
};

// `end` ends a call from another thread while its range is being read. It must return only when the
// reader has left, and nothing may be read from then on.
void ends_reading(guarded_range& range, const std::function<void()>& end) {
  range.await_reader();
  bool left_in_time = false;
  int reads = 0;
  std::promise<void> ended;
  std::jthread ender{[&] {
    end();
    left_in_time = range.is_left();
    reads = range.reads();
    ended.set_value();
  }};
  // One that does not wait has ended by then.
  auto future = ended.get_future();
  future.wait_for(100ms);
  range.let_go_on();
  REQUIRE(future.wait_for(test::deadline) == std::future_status::ready);
  CHECK(left_in_time);
  CHECK(range.reads() == reads);
}

}  // namespace

TEST_CASE("given a stream whose range is being read, when it is destroyed, then that waits") {
  guarded_range range;
  auto view = range.view();
  running_loop running;
  coterie::pool pool{running.loop, {.processes = 1}};
  auto stream = std::make_optional(pool.imap(twice, view));
  ends_reading(range, [&] { stream.reset(); });
  const int reads = range.reads();
  CHECK(pool.apply(twice, 2, asio::use_future).get() == 4);
  CHECK(range.reads() == reads);
}

TEST_CASE("given a started call whose range is being read, when it is cancelled, then that waits") {
  guarded_range range;
  auto view = range.view();
  running_loop running;
  coterie::pool pool{running.loop, {.processes = 1}};
  auto pending = pool.map_async(twice, view);
  ends_reading(range, [&] { pending.cancel(); });
  CHECK(pending.ready());
  CHECK_FALSE(pending.successful());
}

TEST_CASE("given a call whose range is being read, when the pool is terminated, then that waits") {
  guarded_range range;
  auto view = range.view();
  running_loop running;
  coterie::pool pool{running.loop, {.processes = 1}};
  auto pending = pool.map_async(twice, view);
  ends_reading(range, [&] { pool.terminate(); });
  CHECK(pending.ready());
}

TEST_CASE("given a call whose range is being read, when the pool is destroyed, then that waits") {
  guarded_range range;
  auto view = range.view();
  running_loop running;
  std::optional<coterie::pool> pool{std::in_place, running.loop,
                                    coterie::pool_options{.processes = 1}};
  auto pending = pool->map_async(twice, view);
  ends_reading(range, [&] { pool.reset(); });
  CHECK(pending.ready());
}

TEST_CASE("given an operation whose range is being read, when cancelled, then its handler waits") {
  guarded_range range;
  auto view = range.view();
  running_loop running;
  coterie::pool pool{running.loop, {.processes = 1}};
  asio::cancellation_signal signal;
  std::promise<void> called;
  pool.map(twice, view, {},
           asio::bind_cancellation_slot(signal.slot(),
                                        [&](std::exception_ptr, auto&&) { called.set_value(); }));
  ends_reading(range, [&] {
    signal.emit(asio::cancellation_type::partial);
    called.get_future().wait_for(test::deadline);
  });
}

TEST_CASE("given a stream, when it is destroyed inside its own range, then it reads no further") {
  running_loop running;
  coterie::pool pool{running.loop, {.processes = 1}};
  std::optional<coterie::stream<int>> stream;
  std::promise<void> opened;
  std::promise<void> dropped;
  std::atomic<int> reads = 0;
  auto view = std::views::iota(0, 1000) | std::views::transform([&](int value) {
                if (++reads == 1) {
                  opened.get_future().wait_for(test::deadline);
                  stream.reset();
                  dropped.set_value();
                }
                return value;
              });
  asio::post(running.loop, [&] {
    stream.emplace(pool.imap(twice, view, {.chunksize = 1}));
    opened.set_value();
  });
  REQUIRE(dropped.get_future().wait_for(test::deadline) == std::future_status::ready);
  CHECK(pool.apply(twice, 2, asio::use_future).get() == 4);
  // It may have read to the end of what it was taking.
  const int read_so_far = reads.load();
  CHECK(read_so_far < 1000);
  CHECK(pool.apply(twice, 3, asio::use_future).get() == 6);
  CHECK(reads.load() == read_so_far);
}

TEST_CASE("given a stream, when its reader's handler destroys it, then that does not hang") {
  running_loop running;
  coterie::pool pool{running.loop, {.processes = 1}};
  std::vector<int> items{1, 2, 3};
  auto stream = std::make_optional(pool.imap(twice, items));
  std::promise<void> dropped;
  stream->next([&](std::exception_ptr, std::optional<int>) {
    stream.reset();
    dropped.set_value();
  });
  REQUIRE(dropped.get_future().wait_for(test::deadline) == std::future_status::ready);
  CHECK(pool.apply(twice, 2, asio::use_future).get() == 4);
}
