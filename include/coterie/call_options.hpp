// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

namespace coterie {

/// How `pool::map` and its kin take and send their items. Write `{.chunksize = 10}` to change some.
struct map_options {
  /// Items that are sent to a worker together. 0 (automatic) follows the measured time of an item:
  /// chunks of about two milliseconds.
  std::size_t chunksize = 0;

  /// The most items that are taken from the input before they are finished. 0 (automatic): what keeps
  /// the workers busy, a few chunks for each.
  std::size_t window = 0;
};

/// How `pool::imap` and its kin take and send their items.
struct stream_options {
  /// Items that are sent to a worker together. 0 (automatic) follows the measured time of an item:
  /// single items at first, so that first answers come early, then chunks of about two milliseconds.
  std::size_t chunksize = 0;

  /// The most items that are taken from the input before their results have been read from the
  /// stream. 0 (automatic): eight chunks for each worker; at least 256 items, and
  /// at most 4096 for each worker.
  std::size_t window = 0;
};

}  // namespace coterie
