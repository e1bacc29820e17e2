// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include "messages/identifiers.hpp"
#include "system/unique_descriptor.hpp"

namespace coterie::detail {

// A worker that shares no memory with its parent notes which items it is about to run in a counter
// of the kernel (`eventfd`). One system call does that and wakes no process, where a message would
// wake the parent for each item. The parent reads the counter once, after the worker has ended.
// Where results are sent just before an item begins, their message says so instead
// (`message::values`), and the system call is saved.
//
// The counter says at which chunk the worker is, by its number among those that were sent, and
// which items of it are claimed. It only grows.

/// What both sides make of the counter's value.
struct begun_items {
  static constexpr unsigned item_bits = 24;
  /// As many items as can be told. Where more are claimed, all are.
  static constexpr std::uint64_t most_items = (std::uint64_t{1} << item_bits) - 1;

  std::uint64_t chunk = 0;  // its number, from 1; 0: none was begun
  std::uint64_t items = 0;  // of that chunk, those before this one are claimed

  [[nodiscard]] std::uint64_t packed() const noexcept { return chunk << item_bits | items; }
  static begun_items unpacked(std::uint64_t value) noexcept {
    return {value >> item_bits, value & most_items};
  }
};

/// The worker's side. Thread safety: none.
class begun_writer {
 public:
  /// `counter` is the parent's; empty: nothing is noted.
  explicit begun_writer(unique_descriptor counter) noexcept : counter_{std::move(counter)} {}

  /// To be told of each chunk that comes, in order.
  void begin() noexcept { ++now_.chunk; }
  /// Notes that the items before the one with the index `end` are about to be run. False if that
  /// cannot be done: the descriptor is not open any more.
  [[nodiscard]] bool claim_up_to(std::size_t end) noexcept;

 private:
  unique_descriptor counter_;
  begun_items now_;
  std::uint64_t noted_ = 0;
};

/// The parent's side. Thread safety: none.
class begun_reader {
 public:
  /// Throws `boost::system::system_error`.
  begun_reader();

  /// What the worker is to be given.
  [[nodiscard]] int descriptor() const noexcept { return counter_.get(); }

  /// A chunk goes.
  void sent(chunk_id chunk) { under_way_.push_back({++sent_, chunk}); }
  /// A frame has told that the items of `chunk` before the one with the index `end` are about to
  /// run.
  void told(chunk_id chunk, std::uint64_t end) noexcept { told_ = {.chunk = chunk, .items = end}; }
  /// The worker is done with it.
  void ended(chunk_id chunk) noexcept;

  /// Of a worker that has ended: how many items of `chunk` behind the first `done` may have begun;
  /// empty if the counter says what cannot be.
  [[nodiscard]] std::optional<std::size_t> begun(chunk_id chunk, std::size_t done) noexcept;

 private:
  struct sent_chunk {
    std::uint64_t number;
    chunk_id chunk;
  };

  struct told_items {
    chunk_id chunk = 0;
    std::uint64_t items = 0;
  };

  unique_descriptor counter_;
  std::uint64_t sent_ = 0;
  std::deque<sent_chunk> under_way_;  // in the order in which they went
  told_items told_;                   // last
};

}  // namespace coterie::detail
