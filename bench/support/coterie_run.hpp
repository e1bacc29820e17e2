// SPDX-License-Identifier: BSL-1.0
#pragma once

// What coterie's contenders share: the options that choose a link, and a pool whose workers are
// there.

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <coterie/pool.hpp>

#include "contender.hpp"

namespace bench {

/// The command line of one of coterie's contenders.
class coterie_run {
 public:
  coterie_run(int argc, char** argv, const std::string& about, std::vector<option> more) {
    more.push_back({"processes", &processes_, "Worker processes"});
    more.push_back({"shared-memory", &shared_memory_, "1: the ring link, 0: the socket link"});
    more.push_back({"busy-poll", &busy_poll_, "Microseconds; -1: the library's default"});
    parse(argc, argv, about, more);
    set_busy_poll(options_);
    options_.processes = static_cast<int>(processes_);
    options_.shared_memory = shared_memory_ != 0;
  }

  [[nodiscard]] const coterie::pool_options& options() const { return options_; }
  [[nodiscard]] std::int64_t processes() const { return processes_; }

  /// Waits until every worker is ready, and makes sure that the link is the one that was asked for.
  boost::asio::awaitable<void> ready(const coterie::pool& pool) const {
    boost::asio::steady_timer timer{co_await boost::asio::this_coro::executor};
    while (pool.stats().workers_ready < pool.size()) {
      timer.expires_after(std::chrono::milliseconds{1});
      co_await timer.async_wait(boost::asio::use_awaitable);
    }
    if (pool.stats().workers_without_shared_memory > 0)
      fail("a ring was wanted, and not to be had");
  }

 private:
  // A template, so that this compiles whether or not the pool can poll.
  template <class Options>
  void set_busy_poll(Options& options) const {
    if (busy_poll_ < 0) return;
    if constexpr (requires { options.busy_poll = std::chrono::microseconds{}; }) {
      options.busy_poll = std::chrono::microseconds{busy_poll_};
    } else {
      cannot_take_part("pool_options has no busy_poll");
    }
  }

  std::int64_t processes_ = 2;
  std::int64_t shared_memory_ = 1;
  std::int64_t busy_poll_ = -1;
  coterie::pool_options options_;
};

}  // namespace bench
