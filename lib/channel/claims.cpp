// SPDX-License-Identifier: BSL-1.0
#include "channel/claims.hpp"

#include <algorithm>
#include <bit>

#include <coterie/detail/shared_word.hpp>

namespace coterie::detail {

namespace {

using word = shared_word;

// All that the sides tell each other here is in this one word, so relaxed orders are enough. Chunks
// and results go through the rings, whose indices order them; and what a worker has done before it
// ended is shown by the system. A claim releases all the same. It comes after the results before
// it, also for a worker that is killed in between: the compiler must not turn them round.

// A parent does not wait for a worker that changes the word again and again.
constexpr int most_tries = 8;

// Numbers go round.
bool is_after(std::uint16_t left, std::uint16_t right) {
  return static_cast<std::int16_t>(left - right) > 0;
}

std::uint32_t clamped(std::size_t items) {
  return static_cast<std::uint32_t>(std::min<std::size_t>(items, claims::state::most_items));
}

std::uint64_t pack(const claims::state& state) { return std::bit_cast<std::uint64_t>(state); }
claims::state unpack(std::uint64_t packed) { return std::bit_cast<claims::state>(packed); }

}  // namespace

// ---- the worker -------------------------------------------------------------------------------

bool claimer::begin(std::size_t first) noexcept {
  ++chunk_;
  return claim_up_to(first);
}

bool claimer::claim_up_to(std::size_t end, std::size_t unit) noexcept {
  const word claimed{where_.word()};
  std::uint64_t seen = claimed.load(std::memory_order_relaxed);
  // Nothing is left to be told of the chunks before; the number must not fall behind until it seems
  // ahead.
  const auto before = static_cast<std::uint16_t>(chunk_ - 1);
  claims::state more{.items = clamped(end), .begun = chunk_, .revoked = before};
  do {
    const claims::state now = unpack(seen);
    // As many as can be told: the parent takes all for claimed.
    if (now.begun == chunk_ && now.items == claims::state::most_items) return true;
    if (!is_after(chunk_, now.revoked)) {
      // The rest of a unit is this worker's still. What the parent has said stands.
      if (now.begun != chunk_ || end > end_of_unit(now.items, unit)) return false;
      more.revoked = now.revoked;
    }
  } while (!claimed.compare_exchange_weak(seen, pack(more), std::memory_order_release));
  return true;
}

// ---- the parent -------------------------------------------------------------------------------

void revoker::sent(chunk_id chunk, std::size_t first, std::size_t count) {
  under_way_.push_back(
      {.number = ++sent_, .chunk = chunk, .first = first, .next = first, .count = count});
}

void revoker::ended(chunk_id chunk) noexcept {
  const auto found = std::ranges::find(under_way_, chunk, &sent_chunk::chunk);
  if (found == under_way_.end()) return;
  // What was said of those before it does not matter any more; the number must not fall too far
  // behind.
  const auto before = static_cast<std::uint16_t>(found->number - 1);
  if (is_after(before, revoked_)) revoked_ = before;
  under_way_.erase(found);
}

std::optional<revoker::left> revoker::revoke(std::size_t least, std::size_t unit,
                                             spare_next spare) {
  const word claimed{where_.word()};
  std::uint64_t seen = claimed.load(std::memory_order_relaxed);
  for (int tries = most_tries; tries > 0; --tries) {
    claims::state now = unpack(seen);
    if (!makes_sense(now)) return std::nullopt;

    const auto begun = std::ranges::find(under_way_, now.begun, &sent_chunk::number);
    const auto behind = std::ranges::find_if(
        under_way_, [&](const sent_chunk& each) { return is_after(each.number, now.begun); });
    std::size_t items = 0;
    for (auto each = behind; each != under_way_.end(); ++each) items += each->count - each->next;
    std::size_t kept = 0;
    if (begun != under_way_.end()) {
      kept = now.items == claims::state::most_items
                 ? begun->count
                 : std::min(end_of_unit(now.items, unit), begun->count);
      if (kept < begun->next) return std::nullopt;
      items += begun->count - kept;
    } else if (behind != under_way_.end() && spare == spare_next::yes) {
      items -= std::min(behind->count - behind->next, unit);
    }
    if (items < least) return std::nullopt;

    now.revoked = sent_;
    if (!claimed.compare_exchange_strong(seen, pack(now), std::memory_order_relaxed)) continue;
    revoked_ = sent_;
    left found;
    if (begun != under_way_.end()) {
      begun->next = begun->count = kept;
      found.begun = begun->chunk;
      found.kept = kept;
    }
    for (auto each = behind; each != under_way_.end(); ++each) {
      found.revoked.push_back(each->chunk);
    }
    under_way_.erase(behind, under_way_.end());
    return found;
  }
  return std::nullopt;
}

// What was claimed when the rest was revoked counts too: results of these may be open behind a
// long item.
bool revoker::may_be_silent() const noexcept {
  return under_way_.size() > 2 || std::ranges::any_of(under_way_, [](const sent_chunk& each) {
           return each.count > each.first + 1;
         });
}

std::optional<std::size_t> revoker::begun(chunk_id chunk, std::size_t done) const noexcept {
  const auto now = unpack(word{where_.word()}.load(std::memory_order_relaxed));
  const auto found = std::ranges::find(under_way_, chunk, &sent_chunk::chunk);
  if (!makes_sense(now) || found == under_way_.end()) return std::nullopt;
  // It tells the end of a chunk before it begins the next.
  if (is_after(now.begun, found->number)) return std::nullopt;
  if (now.begun != found->number) return 0;
  return now.items > done ? 1 : 0;
}

bool revoker::makes_sense() const noexcept {
  return makes_sense(unpack(word{where_.word()}.load(std::memory_order_relaxed)));
}

bool revoker::makes_sense(const claims::state& now) const noexcept {
  if (is_after(now.begun, sent_)) return false;
  // What this side has said stands until the worker begins a chunk that was sent later.
  if (!is_after(now.begun, revoked_)) return now.revoked == revoked_;
  return now.revoked == static_cast<std::uint16_t>(now.begun - 1);
}

}  // namespace coterie::detail
