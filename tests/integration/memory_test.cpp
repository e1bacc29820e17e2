// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#include "support/run.hpp"

namespace asio = boost::asio;

namespace {

// Counts those of its kind that are alive in this process.
class tracked {
 public:
  tracked() { ++alive; }
  explicit tracked(int number) : number_{number} { ++alive; }
  tracked(const tracked& other) : number_{other.number_} { ++alive; }
  tracked& operator=(const tracked&) = default;
  ~tracked() { --alive; }

  [[nodiscard]] int number() const { return number_; }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(number_);
  }

  static inline int alive = 0;

 private:
  int number_ = 0;
};

int number_of(const tracked& given) { return given.number(); }
tracked same(const tracked& given) { return given; }
tracked fail(const tracked&) { throw std::domain_error{"it"}; }
int with_bound(const tracked& bound, int number) { return bound.number() + number; }

std::vector<tracked> some(int count) {
  std::vector<tracked> all;
  all.reserve(static_cast<std::size_t>(count));
  for (int number = 0; number < count; ++number) all.emplace_back(number);
  return all;
}

// The pool puts away what a call leaves before it begins with the next.
asio::awaitable<void> next_call(coterie::pool& pool) {
  co_await pool.apply([] {});
}

}  // namespace

TEST_CASE("given an apply, when it has completed, then no copy of arguments or result is kept") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    {
      const tracked given{5};
      const tracked result = co_await pool.apply(same, given);
      CHECK(result.number() == 5);
      co_await next_call(pool);
      CHECK(tracked::alive == 2);
    }
    CHECK(tracked::alive == 0);
    const auto problem = co_await test::failure_of(pool.apply(fail, tracked{1}));
    CHECK(problem != nullptr);
    co_await next_call(pool);
    CHECK(tracked::alive == 0);
  });
}

TEST_CASE("given a map, when it has completed, then no copy of items or results is kept") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    {
      const auto items = some(50);
      const auto results = co_await pool.map(same, items);
      CHECK(results.size() == 50);
      co_await next_call(pool);
      CHECK(tracked::alive == 100);
    }
    {
      const auto results = co_await pool.map(same, some(50));
      co_await next_call(pool);
      CHECK(tracked::alive == 50);
    }
    CHECK(tracked::alive == 0);
    const auto problem = co_await test::failure_of(pool.map(fail, some(50)));
    CHECK(problem != nullptr);
    co_await next_call(pool);
    CHECK(tracked::alive == 0);
    {
      const auto outcomes = co_await pool.map_settled(same, some(50));
    }
    co_await next_call(pool);
    CHECK(tracked::alive == 0);
  });
}

TEST_CASE("given bound arguments, when the call has completed, then no copy of them is kept") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto numbers =
        co_await pool.map(coterie::bind(with_bound, tracked{1}), std::views::iota(0, 10));
    CHECK(numbers.back() == 10);
    co_await next_call(pool);
    CHECK(tracked::alive == 0);
  });
}

TEST_CASE("given an input that owns something, when the call has completed, then it is let go") {
  test::with_pool(2, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto witness = std::make_shared<int>(1);
    const auto input = [&] {
      return std::views::iota(0, 20) |
             std::views::transform([witness](int number) { return number + *witness; });
    };
    const auto add_one = [](int number) { return number + 1; };
    const auto values = co_await pool.map(add_one, input());
    CHECK(values.size() == 20);
    co_await next_call(pool);
    CHECK(witness.use_count() == 1);

    const auto pending = pool.map_async(add_one, input());
    co_await pending.wait();
    co_await next_call(pool);
    // The handle keeps the outcome, and nothing else.
    CHECK(witness.use_count() == 1);

    auto stream = pool.imap(add_one, input());
    const auto all = co_await test::drain(stream);
    CHECK(all == values);
    co_await next_call(pool);
    CHECK(witness.use_count() == 1);
  });
}

TEST_CASE("given a stream, when a result has been read, then no copy of it is kept") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    auto stream = pool.imap(same, some(20));
    {
      const auto first = co_await stream.next();
      REQUIRE(first.has_value());
    }
    while (pool.stats().tasks_done < 20) co_await asio::post(asio::use_awaitable);
    {
      const auto rest = co_await test::drain(stream);
      CHECK(rest.size() == 19);
      co_await next_call(pool);
      CHECK(tracked::alive == 19);
    }
    CHECK(tracked::alive == 0);
  });
}

TEST_CASE("given a stream that is dropped, when results were waiting, then they are let go") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    {
      auto stream = pool.imap(same, some(20));
      while (pool.stats().tasks_done < 20) co_await asio::post(asio::use_awaitable);
      CHECK(tracked::alive > 0);
    }
    co_await next_call(pool);
    CHECK(tracked::alive == 0);
  });
}

TEST_CASE("given a handle, when the last copy of it is dropped, then the outcome is let go") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    std::optional pending{pool.map_async(same, some(10))};
    auto copy = pending;
    co_await pending->wait();
    co_await next_call(pool);
    CHECK(tracked::alive == 10);
    pending.reset();
    CHECK(tracked::alive == 10);
    copy.reset();
    CHECK(tracked::alive == 0);
  });
}

TEST_CASE("given a handler that owns something, when it has been called, then it is let go") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    const auto witness = std::make_shared<int>(0);
    pool.map(number_of, some(3), {},
             [witness](const std::exception_ptr&, const std::vector<int>& numbers) {
               *witness += static_cast<int>(numbers.size());
             });
    const auto pending = pool.apply_async(number_of, tracked{1});
    pending.callback([witness](int) { ++*witness; });
    pending.error_callback([witness](const std::exception_ptr&) { *witness = -1; });
    while (*witness < 4) co_await asio::post(asio::use_awaitable);
    co_await next_call(pool);
    CHECK(witness.use_count() == 1);
    CHECK(tracked::alive == 0);
  });
}

TEST_CASE("given a call that is cancelled, when it has completed, then nothing of it is kept") {
  test::with_pool(1, [](coterie::pool& pool) -> asio::awaitable<void> {
    {
      const auto pending = pool.map_async(same, some(100), {.chunksize = 1});
      pending.cancel();
      co_await pending.wait();
      co_await next_call(pool);
      CHECK(tracked::alive == 0);
    }
  });
}

TEST_CASE("given a pool that is gone, when calls were pending, then nothing of them is kept") {
  test::run([]() -> asio::awaitable<void> {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    std::optional<coterie::pool> pool;
    pool.emplace(executor, coterie::pool_options{.processes = 1});
    const auto pending = pool->map_async(same, some(100));
    auto stream = pool->imap(same, some(100));
    pool.reset();
    const auto problem = co_await test::failure_of(pending.get());
    CHECK(problem != nullptr);
    std::exception_ptr end;
    while (!end) end = co_await test::failure_of(stream.next());
    CHECK(tracked::alive == 0);
  });
}
