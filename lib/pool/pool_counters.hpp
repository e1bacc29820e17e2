// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>

#include <coterie/pool_stats.hpp>

namespace coterie::detail {

/// What `pool::stats` tells, in any thread at any time.
struct pool_counters {
  std::atomic<int> workers_ready = 0;
  std::atomic<std::uint64_t> workers_started = 0;
  std::atomic<std::uint64_t> workers_crashed = 0;
  std::atomic<std::uint64_t> starts_failed = 0;
  std::atomic<std::uint64_t> tasks_done = 0;
  std::atomic<std::uint64_t> tasks_failed = 0;
  std::atomic<std::uint64_t> workers_without_memory = 0;
  std::atomic<std::uint64_t> jobs_pending = 0;

  static void add(std::atomic<std::uint64_t>& to, std::uint64_t count = 1) noexcept {
    to.fetch_add(count, std::memory_order_relaxed);
  }

  [[nodiscard]] pool_stats stats() const noexcept {
    constexpr auto order = std::memory_order_relaxed;
    return {.workers_ready = workers_ready.load(order),
            .workers_started = workers_started.load(order),
            .workers_crashed = workers_crashed.load(order),
            .starts_failed = starts_failed.load(order),
            .tasks_done = tasks_done.load(order),
            .tasks_failed = tasks_failed.load(order),
            .workers_without_shared_memory = workers_without_memory.load(order),
            .jobs_pending = jobs_pending.load(order)};
  }
};

}  // namespace coterie::detail
