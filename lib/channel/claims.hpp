// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "messages/identifiers.hpp"

namespace coterie::detail {

/// Whether the first unit of a worker that has begun nothing is left to it, since it would begin
/// that now.
enum class spare_next : bool { no, yes };

/// The end of the unit, of `unit` items each, that begins before the item `index`.
constexpr std::size_t end_of_unit(std::size_t index, std::size_t unit) noexcept {
  return (index + unit - 1) / unit * unit;
}

/// Which of the items that a worker was sent it has claimed, in memory that it shares with its
/// parent. The worker claims items before it runs them (`claimer`); the parent revokes what is
/// not claimed, and knows at once what that is (`revoker`).
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

  /// A chunk goes, of `count` items, the next of which is the one with the index `first`.
  void sent(chunk_id chunk, std::size_t first, std::size_t count);
  /// The worker is done with it.
  void ended(chunk_id chunk) noexcept;

  /// What a worker is left with.
  struct left {
    chunk_id begun = 0;             // 0: nothing
    std::size_t kept = 0;           // of that chunk the items before this one
    std::vector<chunk_id> revoked;  // those behind it: the worker will not look at them
  };
  /// Revokes all that the worker has not claimed, unless it is less than `least` items; a unit
  /// of which it has claimed some stays with it as a whole. Nothing either, if the worker says what
  /// cannot be.
  [[nodiscard]] std::optional<left> revoke(std::size_t least, std::size_t unit = 1,
                                           spare_next spare = spare_next::yes);

  /// Of a worker that has ended, and all of whose results are known: how many items of `chunk`
  /// behind the first `done` may have begun. That is one at most: each result is in sight before
  /// the next item begins. Empty if the worker says what cannot be.
  [[nodiscard]] std::optional<std::size_t> begun(chunk_id chunk, std::size_t done) const noexcept;

  /// Whether the worker may have results of which it does not tell at once: those of a chunk of
  /// several items, or of one behind which there is more to do than one chunk.
  [[nodiscard]] bool may_be_silent() const noexcept;

  /// Whether the word is one that this side and a worker which keeps the rules can have written. A
  /// worker that has written over it may believe that it was left nothing, and wait for ever.
  [[nodiscard]] bool makes_sense() const noexcept;

 private:
  struct sent_chunk {
    std::uint16_t number;
    chunk_id chunk;
    std::size_t first;  // the item that it began with here
    std::size_t next;   // items before this one are claimed, as far as is known
    std::size_t count;  // items
  };

  [[nodiscard]] bool makes_sense(const claims::state& now) const noexcept;

  claims where_;
  std::uint16_t sent_ = 0;
  std::uint16_t revoked_ = 0;
  std::vector<sent_chunk> under_way_;  // in the order in which they went
};

}  // namespace coterie::detail
