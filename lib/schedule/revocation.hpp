// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <optional>

#include "messages/claimed_items.hpp"
#include "messages/identifiers.hpp"
#include "schedule/actions.hpp"
#include "schedule/ledger.hpp"

namespace coterie::detail {

// What follows from the items that a worker claims, beside those that it was given. Pure.

/// What a worker keeps when the rest is revoked: what it was given before `chunk`, and of that the
/// items before the one with the index `items`. No chunk: nothing of what it holds.
struct kept_items {
  chunk_id chunk = 0;
  std::size_t items = 0;

  bool operator==(const kept_items&) const = default;
};

/// What the victim keeps if all that it has not claimed is revoked now. Empty: less comes back than
/// is wanted, or no worker that keeps the rules claims that.
[[nodiscard]] std::optional<kept_items> kept_after(const action::revoke& what,
                                                   const claimed_items& claimed,
                                                   const ledger& chunks);

/// How many of a worker's items may run, or have ended unheard of, at the same time.
enum class unheard_items : bool {
  one,  // each result is in sight before the next item begins
  all   // that it has claimed
};

/// Of a worker that has ended, and all of whose results are known: how many more items of the
/// chunk in front may have begun. Empty: all that it held, since no worker that keeps the rules
/// claims that.
[[nodiscard]] std::optional<std::size_t> items_in_doubt(worker_id ended, unheard_items unheard,
                                                        const claimed_items& claimed,
                                                        const ledger& chunks);

}  // namespace coterie::detail
