// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "messages/claimed_items.hpp"
#include "system/unique_descriptor.hpp"

namespace coterie::detail {

// A worker that shares no memory with its parent notes which items it is about to run in a counter
// of the kernel (`eventfd`). One system call does that and wakes no process, where a message would
// wake the parent for each item. The parent reads the counter when the worker has ended.
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
  void sent() noexcept { ++sent_; }
  /// A frame has told that the items before the one with the index `end` of the chunk that has not
  /// ended are about to run.
  void told(std::uint64_t end) noexcept { told_ = {.chunk = ended_ + 1, .items = end}; }
  /// A frame has told the end of a chunk. Chunks end in the order in which they go.
  void ended() noexcept { ++ended_; }

  /// What the worker has claimed, by the counter and by its frames; empty if no worker that keeps
  /// the rules can have said that.
  [[nodiscard]] std::optional<claimed_items> claimed() noexcept;

 private:
  unique_descriptor counter_;
  std::uint64_t counted_ = 0;  // what was read of the counter
  std::uint64_t sent_ = 0;
  std::uint64_t ended_ = 0;
  begun_items told_;  // last
};

}  // namespace coterie::detail
