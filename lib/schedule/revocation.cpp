// SPDX-License-Identifier: BSL-1.0
#include "schedule/revocation.hpp"

#include <algorithm>
#include <deque>
#include <iterator>

namespace coterie::detail {

namespace {

using held_chunks = std::deque<chunk_id>;

/// Where a worker is among the chunks that it holds.
struct place {
  chunk_id at = 0;  // the chunk that it has begun, and that is not known to have ended; 0: none
  std::size_t claimed = 0;             // of that chunk, the items before this one
  held_chunks::const_iterator behind;  // those that it has not begun
};

// Empty: no worker that keeps the rules claims that.
std::optional<place> find_place(const held_chunks& held, const claimed_items& claimed,
                                const ledger& chunks) {
  const auto behind = std::ranges::find_if(held, [&](chunk_id each) {
    const std::uint64_t number = chunks.at(each).number;
    return number == 0 || number > claimed.chunk;
  });
  if (behind == held.begin()) {
    // It claims an item before it tells its result.
    if (!held.empty() && chunks.at(*behind).done > chunks.at(*behind).begin) return std::nullopt;
    return place{.behind = behind};
  }
  const chunk_id at = *std::prev(behind);
  const ledger::chunk& begun = chunks.at(at);
  // It tells the end of a chunk before it begins the next, and begins none that was revoked.
  if (begun.number != claimed.chunk) return std::nullopt;
  const std::size_t items = claimed.items == claimed_items::all ? begun.end : claimed.items;
  if (items < begun.done || items > begun.end) return std::nullopt;
  return place{.at = at, .claimed = items, .behind = behind};
}

}  // namespace

std::optional<kept_items> kept_after(const action::revoke& what, const claimed_items& claimed,
                                     const ledger& chunks) {
  const held_chunks& held = chunks.held_by(what.victim).chunks;
  const auto found = find_place(held, claimed, chunks);
  if (!found) return std::nullopt;
  // What was not sent yet cannot be revoked, and comes behind all that was.
  if (held.empty() || chunks.at(held.back()).number == 0) return std::nullopt;
  std::size_t free = 0;
  for (auto each = found->behind; each != held.end(); ++each) free += chunks.at(*each).left();
  kept_items kept{.chunk = found->at};
  if (found->at != 0) {
    const ledger::chunk& begun = chunks.at(found->at);
    kept.items = std::min(end_of_unit(found->claimed, what.unit), begun.end);
    // It was known to have claimed more.
    if (kept.items < begun.claimed) return std::nullopt;
    free += begun.end - kept.items;
  } else if (what.spares_next) {
    free -= std::min(chunks.at(*found->behind).left(), what.unit);
  }
  if (free < what.min) return std::nullopt;
  return kept;
}

std::optional<std::size_t> items_in_doubt(worker_id ended, unheard_items unheard,
                                          const claimed_items& claimed, const ledger& chunks) {
  const held_chunks& held = chunks.held_by(ended).chunks;
  const auto found = find_place(held, claimed, chunks);
  if (!found) return std::nullopt;
  if (found->at == 0) return 0;
  // It tells the end of a chunk before it begins the next.
  if (found->at != held.front()) return std::nullopt;
  const std::size_t more = found->claimed - chunks.at(found->at).done;
  return unheard == unheard_items::one ? std::min<std::size_t>(more, 1) : more;
}

}  // namespace coterie::detail
