// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "messages/claimed_items.hpp"

namespace coterie::detail {

/// Which of the items that a worker was sent it has claimed, in memory that it shares with its
/// parent. The worker claims items before it runs them (`claimer`); the parent revokes what is
/// not claimed, and knows at once what that is (`revoker`). Which items that are is not known here.
///
/// Both change the same word, so that one of them is first: it says at which chunk the worker is,
/// by its number in the row of those that were sent, which items of it are claimed, and up to which
/// chunk everything else has been revoked.
///
/// Memory of zeros is a worker that has begun nothing. A worker that writes nonsense here is left
/// with what it has, or found out when it sends results of other items than it said.
class claims {
 public:
  static constexpr std::size_t memory_size = 64;

  /// A view of `memory`, which begins at a cache line, has `memory_size` bytes, and outlives it.
  explicit claims(std::span<std::byte> memory) noexcept
      : word_{reinterpret_cast<std::uint64_t*>(memory.data())} {}

  /// What the word says.
  struct state {
    /// As many items as can be told. Where more are claimed, all are.
    static constexpr std::uint32_t most_items = 0xffff'ffff;

    std::uint32_t items = 0;    // of `begun`, those before this one are claimed
    std::uint16_t begun = 0;    // the number of the chunk that was begun last; numbers go round
    std::uint16_t revoked = 0;  // up to this one, what is not claimed has been revoked
  };
  static_assert(sizeof(state) == sizeof(std::uint64_t));

  [[nodiscard]] std::uint64_t& word() const noexcept { return *word_; }

 private:
  std::uint64_t* word_;
};

/// The worker's side. Thread safety: none.
class claimer {
 public:
  explicit claimer(claims where) noexcept : where_{where} {}

  /// To be told of each chunk that comes, in order; it begins with the item `first`. False: it has
  /// been revoked.
  [[nodiscard]] bool begin(std::size_t first) noexcept;
  /// Claims all items before the one with the index `end`. False: they have been revoked. Where
  /// items are one worker's in units of several, a unit is not revoked once its first item is
  /// claimed.
  [[nodiscard]] bool claim_up_to(std::size_t end, std::size_t unit = 1) noexcept;

 private:
  claims where_;
  std::uint16_t chunk_ = 0;
};

/// The parent's side. Thread safety: none. Precondition: so many chunks are sent and not begun, or
/// were revoked and not noticed, that their numbers can be told apart: less than 2^15.
class revoker {
 public:
  explicit revoker(claims where) noexcept : where_{where} {}

  /// A chunk goes.
  void sent() noexcept { ++sent_; }

  /// What the worker has claimed; empty if this side and a worker that keeps the rules cannot have
  /// written that. A worker that has written over the word may believe that it was left nothing,
  /// and wait for ever.
  [[nodiscard]] std::optional<claimed_items> claimed() const noexcept;

  /// Revokes all that was sent and is not claimed, if the worker has claimed `seen` still. A unit
  /// that it has begun stays with it. False: nothing is revoked. Precondition: `seen` comes from
  /// `claimed`, and nothing was sent or revoked since.
  [[nodiscard]] bool revoke(const claimed_items& seen) noexcept;

 private:
  [[nodiscard]] std::uint16_t revoked_at(std::uint64_t begun) const noexcept;

  claims where_;
  // Numbers of chunks that do not go round, unlike those in the word.
  std::uint64_t sent_ = 0;
  std::uint64_t revoked_ = 0;  // up to this one, as this side has said
};

}  // namespace coterie::detail
