// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cmath>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

#include <boost/asio.hpp>
#include <catch2/catch.hpp>

#include <coterie/coterie.hpp>

#include "stress_messages.hpp"
#include "support/run.hpp"
#include "support/sanitized.hpp"

/// The coroutines that call the pools in the stress test.
namespace stress {

namespace asio = boost::asio;

inline constexpr std::size_t mebibyte = std::size_t{1} << 20U;
/// Sanitizers keep freed memory for a while, and their code is slow.
inline constexpr std::size_t largest_message = (test::sanitized ? 10 : 200) * mebibyte;

/// What has been done.
struct counters {
  std::uint64_t calls = 0;
  std::uint64_t delivered = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t thrown = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t dropped = 0;
  std::uint64_t deaths = 0;  // of workers: killed, or by a task's own hand
  std::uint64_t lost_items = 0;
  std::set<int> lost_workers;  // those that took items with them
};

/// What all calls together may have under way. The first to come is served first, so that a large
/// call does not wait for ever.
class allowance {
 public:
  allowance(const asio::any_io_executor& executor, std::size_t size)
      : changed_{executor, asio::steady_timer::time_point::max()}, left_{size} {}

  asio::awaitable<void> take(std::size_t amount) {
    const std::uint64_t ticket = next_++;
    while (ticket != served_ || amount > left_) {
      boost::system::error_code woken;
      co_await changed_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
    left_ -= amount;
    ++served_;
    changed_.cancel();
  }
  void give_back(std::size_t amount) {
    left_ += amount;
    changed_.cancel();
  }

 private:
  asio::steady_timer changed_;
  std::size_t left_;
  std::uint64_t next_ = 0;
  std::uint64_t served_ = 0;
};

/// A coroutine that calls the pools again and again.
class caller {
 public:
  caller(coterie::pool& pool, allowance& memory, counters& done, std::uint64_t seed)
      : pool_{pool}, memory_{memory}, done_{done}, random_{seed} {}

  asio::awaitable<void> call_until(std::chrono::steady_clock::time_point end) {
    while (std::chrono::steady_clock::now() < end) {
      const std::vector<plan> plans = some_plans();
      std::size_t amount = 0;
      for (const plan& each : plans) amount += each.size_in + each.size_out;
      co_await memory_.take(amount);
      co_await call(plans);
      memory_.give_back(amount);
      ++done_.calls;
    }
  }

 private:
  // Small ones are as frequent as large ones, on a logarithmic scale.
  std::size_t up_to(std::size_t most) {
    std::uniform_real_distribution<> exponent{0, std::log(static_cast<double>(most) + 1)};
    return static_cast<std::size_t>(std::exp(exponent(random_)) - 1);
  }
  bool one_in(unsigned times) { return random_() % times == 0; }

  std::vector<plan> some_plans() {
    const std::size_t most = one_in(4) ? largest_message : largest_message / 100;
    const std::size_t count = one_in(2) ? 1 : 1 + up_to(300);
    std::vector<plan> plans;
    for (std::size_t left = most; plans.size() < count && left > 0;) {
      plan next{.seed = random_()};
      (one_in(2) ? next.size_in : next.size_out) = up_to(left);
      if (one_in(4)) next.size_in = next.size_out = up_to(left / 2);
      if (one_in(4)) next.microseconds = static_cast<std::int64_t>(up_to(20'000));
      if (one_in(100)) next.end = fate::throws;
      if (one_in(2000)) next.end = fate::dies;
      left -= next.size_in + next.size_out;
      plans.push_back(next);
    }
    return plans;
  }

  asio::awaitable<void> call(const std::vector<plan>& plans) {
    const std::size_t chunksize = one_in(2) ? 0 : 1 + up_to(20);
    switch (random_() % 7) {
      case 0:
        return apply(plans.front());
      case 1:
        return map(plans, chunksize);
      case 2:
        return map_settled(plans, chunksize);
      case 3:
        return cancel(plans, chunksize);
      case 4:
        return read(pool_.imap(deliver, orders(plans), {.chunksize = chunksize}), plans);
      case 5:
        return read(pool_.imap_unordered(deliver, orders(plans), {.chunksize = chunksize}), plans);
      default:
        return drop(pool_.imap(deliver, orders(plans), {.chunksize = chunksize}), plans);
    }
  }

  asio::awaitable<void> apply(const plan& what) {
    std::optional<answer> came;
    std::exception_ptr problem;
    try {
      came = co_await pool_.apply(deliver, order_for(what));
    } catch (...) {
      problem = std::current_exception();
    }
    came ? arrived(*came, what) : failed(problem, {what});
  }

  asio::awaitable<void> map(const std::vector<plan>& plans, std::size_t chunksize) {
    std::vector<answer> came;
    std::exception_ptr problem;
    try {
      came = co_await pool_.map(deliver, orders(plans), {.chunksize = chunksize});
    } catch (...) {
      problem = std::current_exception();
    }
    if (problem) co_return failed(problem, plans);
    REQUIRE(came.size() == plans.size());
    for (std::size_t at = 0; at < plans.size(); ++at) arrived(came[at], plans[at]);
  }

  asio::awaitable<void> map_settled(const std::vector<plan>& plans, std::size_t chunksize) {
    const auto came = co_await pool_.map_settled(deliver, orders(plans), {.chunksize = chunksize});
    REQUIRE(came.size() == plans.size());
    for (std::size_t at = 0; at < plans.size(); ++at) {
      if (came[at].has_value()) {
        arrived(*came[at], plans[at]);
      } else {
        failed(came[at].error(), plans);
      }
    }
  }

  // It may be over before it is cancelled.
  asio::awaitable<void> cancel(const std::vector<plan>& plans, std::size_t chunksize) {
    const auto pending = pool_.map_async(deliver, orders(plans), {.chunksize = chunksize});
    co_await pending.wait(std::chrono::microseconds{up_to(20'000)});
    pending.cancel();
    const auto problem = co_await test::failure_of(pending.get());
    if (!problem) co_return;
    try {
      std::rethrow_exception(problem);
    } catch (const boost::system::system_error& caught) {
      if (caught.code() == asio::error::operation_aborted) {
        ++done_.cancelled;
        co_return;
      }
    } catch (...) {
    }
    failed(problem, plans);
  }

  // In order or not: each has one outcome.
  asio::awaitable<void> read(coterie::stream<answer> from, const std::vector<plan>& plans) {
    std::map<std::uint64_t, plan> left;
    for (const plan& each : plans) left.emplace(each.seed, each);
    std::size_t failures = 0;
    for (;;) {
      std::optional<answer> came;
      std::exception_ptr problem;
      try {
        came = co_await from.next();
      } catch (...) {
        problem = std::current_exception();
      }
      if (problem) {
        ++failures;
        failed(problem, plans);
      } else if (came) {
        const auto found = left.find(came->seed);
        REQUIRE(found != left.end());
        arrived(*came, found->second);
        left.erase(found);
      } else {
        break;
      }
    }
    CHECK(left.size() == failures);
  }

  asio::awaitable<void> drop(coterie::stream<answer> from, const std::vector<plan>& plans) {
    for (std::size_t wanted = up_to(plans.size()); wanted > 0; --wanted) {
      const auto problem = co_await test::failure_of(from.next());
      if (problem) failed(problem, plans);
    }
    ++done_.dropped;
  }

  void arrived(const answer& came, const plan& what) {
    INFO("item " << what.seed << ", " << what.size_in << " bytes in, " << what.size_out << " out");
    CHECK(what.end == fate::returns);
    CHECK(came.seed == what.seed);
    const bool right = is_content(came.parcel, ~what.seed, what.size_out);
    CHECK(right);
    ++done_.delivered;
    done_.bytes_in += what.size_in;
    done_.bytes_out += what.size_out;
  }

  // By one of these.
  void failed(const std::exception_ptr& problem, const std::vector<plan>& plans) {
    try {
      std::rethrow_exception(problem);
    } catch (const std::range_error& caught) {
      const bool expected = std::ranges::any_of(plans, [&](const plan& each) {
        return each.end == fate::throws && caught.what() == text_of(each);
      });
      CHECK(expected);
      ++done_.thrown;
    } catch (const coterie::worker_crashed& caught) {
      REQUIRE(caught.item() < plans.size());
      CHECK(caught.signal() == SIGKILL);
      if (plans[caught.item()].end == fate::dies) ++done_.deaths;
      done_.lost_workers.insert(caught.pid());
      ++done_.lost_items;
    }  // nothing else: it ends the test
  }

  coterie::pool& pool_;
  allowance& memory_;
  counters& done_;
  std::mt19937_64 random_;
};

}  // namespace stress
