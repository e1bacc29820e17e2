// SPDX-License-Identifier: BSL-1.0
#pragma once

// clang-format off: first of all
#include <coterie/detail/language.hpp>
// clang-format on

#include <cstdint>

namespace coterie {

/// What a pool has done so far, and what it does now. See `pool::stats`.
struct pool_stats {
  int workers_ready = 0;              ///< workers that run, or can run, tasks now
  std::uint64_t workers_started = 0;  ///< processes started, replacements included
  std::uint64_t workers_crashed = 0;  ///< workers that ended without having been told to
  std::uint64_t starts_failed = 0;    ///< processes that ended before they were ready
  std::uint64_t tasks_done = 0;       ///< items that came back with a value
  std::uint64_t tasks_failed = 0;     ///< items that came back with an exception, or crashed
  /// processes started for which there was no shared memory, though it was wanted
  std::uint64_t workers_without_shared_memory = 0;
  std::uint64_t jobs_pending = 0;  ///< calls that have not completed
};

}  // namespace coterie
