// SPDX-License-Identifier: BSL-1.0

// What a result's own type, a handler or its executor throws in the parent costs its own call: the
// pool lives, and so do the calls beside it.

#include <unistd.h>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <new>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#include "support/expect.hpp"
#include "support/run.hpp"
#include "support/signal.hpp"

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

enum class member { none, default_constructor, copy, move, assignment };

// What throws, in this process alone: each use of it, or the one after so many.
member touchy_member = member::none;
constexpr int each_use = -1;
int uses_that_pass = each_use;

class armed {
 public:
  explicit armed(member which, int passing = each_use) {
    touchy_member = which;
    uses_that_pass = passing;
  }
  armed(const armed&) = delete;
  armed& operator=(const armed&) = delete;
  ~armed() { touchy_member = member::none; }
};

void touch(member which) {
  if (which != touchy_member) return;
  if (uses_that_pass != each_use) {
    if (uses_that_pass-- != 0) return;
    touchy_member = member::none;
  }
  throw std::length_error{"touchy"};
}

struct touchy {
  touchy() { touch(member::default_constructor); }
  explicit touchy(int given) : value{given} {}
  touchy(const touchy& other) : value{other.value} { touch(member::copy); }
  touchy(touchy&& other) : value{other.value} { touch(member::move); }
  touchy& operator=(const touchy& other) {
    touch(member::assignment);
    value = other.value;
    return *this;
  }
  touchy& operator=(touchy&& other) {
    touch(member::assignment);
    value = other.value;
    return *this;
  }
  ~touchy() = default;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(value);
  }

  int value = 0;
};

touchy make(int value) {
  if (value < 0) throw std::domain_error{"negative"};
  return touchy{value};
}
touchy make_never(int) {
  for (;;) ::pause();
}
int twice(int value) { return 2 * value; }
int wait_and_double(int value, const std::string& signal) {
  test::await_signal(signal);
  return 2 * value;
}

const std::vector<int> three{1, 2, 3};

// What `touchy` throws while it is decoded is an error that says so.
bool is_touchy(const std::exception_ptr& problem) {
  try {
    std::rethrow_exception(problem);
  } catch (const std::exception& what) {
    return std::string{what.what()}.ends_with("touchy");
  }
}

// Runs `body(pool)` beside a call that is still going on then, and sees that this call and later
// ones give their values.
template <class Body>
void beside_another_call(Body body) {
  test::with_pool(2, [&body](coterie::pool& pool) -> asio::awaitable<void> {
    test::signal go{pool.get_executor()};
    auto other = pool.apply_async(wait_and_double, 4, go.path());
    co_await body(pool);
    go.give();
    co_await test::gives(other.get(), 8);
    co_await test::gives(pool.apply(twice, 3), 6);
  });
}

// The same for an operation that must fail, for each number of uses that pass before one throws,
// until it succeeds: nowhere on its way may what is thrown be anything but its failure.
template <class Start>
void fails_alone(member which, Start start) {
  bool failed_once = false;
  for (int passing = 0; passing < 100; ++passing) {
    bool failed = false;
    beside_another_call([&](coterie::pool& pool) -> asio::awaitable<void> {
      std::exception_ptr problem;
      {
        const armed guard{which, passing};
        problem = co_await test::failure_of(start(pool));
      }
      if (!problem) co_return;
      failed = true;
      CHECK(is_touchy(problem));
    });
    failed_once = failed_once || failed;
    if (!failed) break;
  }
  CHECK(failed_once);
}

// An executor that accepts nothing when it is told so.
struct refusing_executor {
  asio::any_io_executor inner;
  std::shared_ptr<bool> refuses = std::make_shared<bool>(false);

  template <class F>
  void execute(F&& function) const {
    if (*refuses) throw std::runtime_error{"refused"};
    inner.execute(std::forward<F>(function));
  }
  asio::execution_context& query(asio::execution::context_t) const {
    return asio::query(inner, asio::execution::context);
  }
  refusing_executor require(asio::execution::blocking_t::never_t never) const {
    return {asio::require(inner, never), refuses};
  }
  bool operator==(const refusing_executor& other) const noexcept {
    return refuses == other.refuses;
  }
  bool operator!=(const refusing_executor& other) const noexcept {
    return refuses != other.refuses;
  }
};

// Runs the loop of a pool until `done`, and beyond what leaves `run`. Returns the texts of that,
// when there are at least so many.
template <class Condition>
std::vector<std::string> run_until(asio::io_context& loop, Condition done, std::size_t least = 0) {
  std::vector<std::string> left;
  const auto end = std::chrono::steady_clock::now() + test::deadline;
  while ((!done() || left.size() < least) && std::chrono::steady_clock::now() < end) {
    try {
      loop.run_one_for(100ms);
    } catch (const std::exception& problem) {
      left.emplace_back(problem.what());
    }
  }
  return left;
}

}  // namespace

TEST_CASE("given results whose assignment throws, when a map collects them, then the map fails") {
  fails_alone(member::assignment,
              [](coterie::pool& pool) { return pool.map(make, three, {.chunksize = 1}); });
}

TEST_CASE(
    "given results that throw when made by default, when a map collects them, then it fails") {
  fails_alone(member::default_constructor,
              [](coterie::pool& pool) { return pool.map(make, three, {.chunksize = 1}); });
}

TEST_CASE("given results whose moving throws, when a map collects them, then the map fails") {
  fails_alone(member::move, [](coterie::pool& pool) {
    // Of unknown length: the vector grows.
    return pool.map(make, std::views::iota(1) | std::views::take_while([](int i) { return i < 9; }),
                    {.chunksize = 1});
  });
}

TEST_CASE("given a result whose moving throws, when a call waits for it, then the call fails") {
  fails_alone(member::move, [](coterie::pool& pool) { return pool.apply(make, 1); });
}

TEST_CASE("given a result whose moving throws, when a started call waits for it, then it fails") {
  fails_alone(member::move, [](coterie::pool& pool) -> asio::awaitable<touchy> {
    auto pending = pool.apply_async(make, 1);
    co_return co_await pending.get();
  });
}

TEST_CASE(
    "given a result whose copying throws, when it is had from a started call, then that fails") {
  fails_alone(member::copy, [](coterie::pool& pool) -> asio::awaitable<touchy> {
    auto pending = pool.apply_async(make, 1);
    co_return co_await pending.get();
  });
}

TEST_CASE(
    "given a result that throws when made by default, when its task fails, then that arrives") {
  beside_another_call([](coterie::pool& pool) -> asio::awaitable<void> {
    const armed guard{member::default_constructor};
    const auto problem = co_await test::failure_of(pool.apply(make, -1));
    CHECK(test::as<std::domain_error>(problem).what() == std::string{"negative"});
    auto pending = pool.apply_async(make, -1);
    const auto later = co_await test::failure_of(pending.get());
    CHECK(test::as<std::domain_error>(later).what() == std::string{"negative"});
    const auto late = co_await test::failure_of(pool.apply_async(make_never, 1).get(-1s));
    test::as<coterie::timeout_error>(late);
  });
}

TEST_CASE(
    "given a result that throws when made by default, when a future is wanted, then it says so") {
  asio::io_context loop;
  coterie::pool pool{loop, {.processes = 1}};
  {
    const armed guard{member::default_constructor};
    CHECK_THROWS_AS(pool.apply(make, 1, asio::use_future), std::length_error);
  }
  auto failed = pool.apply(make, -1, asio::use_future);
  auto fine = pool.apply(make, 2, asio::use_future);
  const auto ready = [](auto& future) { return future.wait_for(0s) == std::future_status::ready; };
  {
    const armed guard{member::default_constructor, 1};  // one is made for the bytes of the value
    CHECK(run_until(loop, [&] { return ready(failed) && ready(fine); }).empty());
  }
  CHECK_THROWS_AS(failed.get(), std::domain_error);
  CHECK(fine.get().value == 2);
}

TEST_CASE("given results whose moving throws, when outcomes are settled, then only theirs fails") {
  beside_another_call([](coterie::pool& pool) -> asio::awaitable<void> {
    for (int passing = 0; passing < 6; ++passing) {
      const armed guard{member::move, passing};
      std::vector<boost::system::result<touchy, std::exception_ptr>> outcomes;
      try {
        outcomes = co_await pool.map_settled(make, three, {.chunksize = 1});
      } catch (const std::length_error&) {
        continue;  // while the vector moved
      }
      CHECK(outcomes.size() == 3);
      int failures = 0;
      for (const auto& each : outcomes) {
        if (!each.has_error()) continue;
        ++failures;
        CHECK(is_touchy(each.error()));
      }
      CHECK(failures <= 1);
    }
  });
}

TEST_CASE("given results whose moving throws, when a stream gives them, then it gives the others") {
  for (const bool ordered : {false, true}) {
    beside_another_call([ordered](coterie::pool& pool) -> asio::awaitable<void> {
      for (int passing = 0; passing < 12; ++passing) {
        const armed guard{member::move, passing};
        auto stream = ordered ? pool.imap(make, three, {.chunksize = 1})
                              : pool.imap_unordered(make, three, {.chunksize = 1});
        int values = 0;
        int failures = 0;
        for (;;) {
          try {
            const auto next = co_await stream.next();
            if (!next) break;
            ++values;
          } catch (const std::exception&) {
            ++failures;
          }
        }
        CHECK(values + failures == 3);
        CHECK(failures <= 1);
      }
    });
  }
}

TEST_CASE("given a callback whose copy of the value throws, when it is due, then run throws that") {
  asio::io_context loop;
  coterie::pool pool{loop, {.processes = 1}};
  auto pending = pool.apply_async(make, 1);
  bool called = false;
  bool other_called = false;
  pending.callback([&](const touchy&) { called = true; });
  pending.callback([&](const touchy&) { other_called = true; });
  std::vector<std::string> left;
  {
    const armed guard{member::copy, 0};
    left = run_until(loop, [&] { return called != other_called; }, 1);
  }
  CHECK(left == std::vector<std::string>{"touchy"});
  auto fine = pool.apply(twice, 4, asio::use_future);
  run_until(loop, [&] { return fine.wait_for(0s) == std::future_status::ready; });
  CHECK(fine.get() == 8);
}

TEST_CASE(
    "given a handler that throws, when others are due with it, then they are called as well") {
  asio::io_context loop;
  coterie::pool pool{loop, {.processes = 1}};
  auto pending = pool.apply_async(twice, 1);
  int called = 0;
  for (int each = 0; each < 3; ++each) {
    pending.wait([&](std::exception_ptr, bool) {
      ++called;
      throw std::runtime_error{"handler"};
    });
  }
  const auto left = run_until(loop, [&] { return called == 3; });
  CHECK(left == std::vector<std::string>(3, "handler"));
}

TEST_CASE(
    "given a handler's executor that refuses, when it is due, then run throws, and only that") {
  asio::io_context loop;
  coterie::pool pool{loop, {.processes = 1}};
  const refusing_executor executor{loop.get_executor()};
  std::vector<int> items{1, 2};
  bool called = false;
  const auto handler = [&](std::exception_ptr, auto&&...) { called = true; };

  pool.map(twice, items, {}, asio::bind_executor(executor, handler));
  auto fine = pool.apply(twice, 4, asio::use_future);
  *executor.refuses = true;
  auto left = run_until(loop, [&] { return fine.wait_for(0s) == std::future_status::ready; }, 1);
  CHECK(left == std::vector<std::string>{"refused"});
  CHECK(fine.get() == 8);

  // What falls due by a call of the pool leaves `run` too, and not that call.
  *executor.refuses = false;
  auto stream = std::make_optional(pool.imap(twice, items));
  pool.close();
  pool.join(asio::bind_executor(executor, handler));
  *executor.refuses = true;
  CHECK_NOTHROW(stream.reset());
  CHECK_NOTHROW(pool.terminate());
  CHECK_NOTHROW(pool = coterie::pool{loop, {.processes = 1}});
  bool passed = false;
  asio::post(loop, [&] { passed = true; });
  left = run_until(loop, [&] { return passed; }, 1);
  CHECK(left == std::vector<std::string>{"refused"});
  CHECK_FALSE(called);
}

TEST_CASE(
    "given an input that is longer than any memory, when its results are to be kept, then it is refused") {
  beside_another_call([](coterie::pool& pool) -> asio::awaitable<void> {
    const auto endless = std::views::iota(std::size_t{0}, ~std::size_t{0} / 2);
    const auto start = [&]() -> asio::awaitable<void> {
      co_await pool.map(+[](std::size_t i) { return i; }, endless);
    };
    const auto problem = co_await test::failure_of(start());
    test::as<std::length_error>(problem);
  });
}
