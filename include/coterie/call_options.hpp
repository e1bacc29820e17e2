// SPDX-License-Identifier: BSL-1.0
#pragma once

// clang-format off: first of all
#include <coterie/detail/language.hpp>
// clang-format on

#include <cstddef>
#include <cstdint>
#include <optional>

namespace coterie {

/// How `pool::map` and its kin take and send their items. Any values will do.
///
/// Example: `co_await pool.map(f, items, {.chunksize = 10})`
struct map_options {
  /// Items that a worker runs together. 0 (automatic) follows the measured time of an item: chunks
  /// of up to 1.5 ms. A given size is kept, but several chunks travel in one message, up to 64, if
  /// they are expected to end within 400 us.
  std::size_t chunksize = 0;

  /// The most items that are taken from the input before they are finished; no chunk is longer. 0
  /// (automatic): what keeps the workers busy, a few chunks for each.
  std::size_t window = 0;

  /// What `this_worker::seed` derives the seeds of the items from. Without it each call of a pool
  /// has a seed of its own, derived from `pool_options::seed`.
  std::optional<std::uint64_t> seed{};
};

/// How `pool::imap` and its kin take and send their items. Any values will do.
///
/// Example: `auto thumbs = pool.imap(shrink, paths, {.chunksize = 8, .window = 64});`
struct stream_options {
  /// Items that a worker runs together. 0 (automatic) follows the measured time of an item: single
  /// items at first, so that first answers come early, then chunks of up to 1.5 ms. A given size is
  /// kept, but several chunks travel in one message, up to 64, if they are expected to end within
  /// 400 us.
  std::size_t chunksize = 0;

  /// The most items that are taken from the input before their results have been read from the
  /// stream; no chunk is longer. 0 (automatic): eight chunks for each worker; at least 256 items,
  /// and at most 4096 for each worker.
  std::size_t window = 0;

  /// What `this_worker::seed` derives the seeds of the items from. Without it each call of a pool
  /// has a seed of its own, derived from `pool_options::seed`.
  std::optional<std::uint64_t> seed{};
};

}  // namespace coterie
