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

// Of chunks, in the word.
constexpr std::uint32_t numbers = 1U << 16U;

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

std::optional<claimed_items> revoker::claimed() const noexcept {
  const auto now = unpack(word{where_.word()}.load(std::memory_order_relaxed));
  // None that was not sent, and none that is too old to be told from it.
  const auto behind = static_cast<std::uint16_t>(sent_ - now.begun);
  if (behind >= numbers / 2 || behind > sent_) return std::nullopt;
  const std::uint64_t begun = sent_ - behind;
  if (now.revoked != revoked_at(begun)) return std::nullopt;
  const bool all = now.items == claims::state::most_items;
  return claimed_items{.chunk = begun, .items = all ? claimed_items::all : now.items};
}

bool revoker::revoke(const claimed_items& seen) noexcept {
  claims::state now{.items = clamped(seen.items),
                    .begun = static_cast<std::uint16_t>(seen.chunk),
                    .revoked = revoked_at(seen.chunk)};
  std::uint64_t expected = pack(now);
  now.revoked = static_cast<std::uint16_t>(sent_);
  const word claimed{where_.word()};
  if (!claimed.compare_exchange_strong(expected, pack(now), std::memory_order_relaxed)) {
    return false;
  }
  revoked_ = sent_;
  return true;
}

// What this side has said stands until the worker begins a chunk that was sent later.
std::uint16_t revoker::revoked_at(std::uint64_t begun) const noexcept {
  return static_cast<std::uint16_t>(begun > revoked_ ? begun - 1 : revoked_);
}

}  // namespace coterie::detail
