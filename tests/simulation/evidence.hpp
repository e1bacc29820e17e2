// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "messages/claimed_items.hpp"
#include "messages/frame.hpp"
#include "schedule/actions.hpp"

namespace simulation {

using coterie::detail::item_range;

/// What becomes of the items of a worker that has ended.
struct verdict {
  std::vector<item_range> lost{};
  std::vector<item_range> free{};  // for other workers
  bool is_honest = true;           // a worker that keeps the rules can have shown what it did
  bool begun = false;              // it has begun the chunk in front, as far as it has shown
};

/// What a worker was sent, and what it has shown of that to its parent, whether it is true or not:
/// the frames that were taken from its link, what was revoked, and what it had claimed at its end.
/// What the pool promises follows from that alone. A worker can only hide what it has begun by
/// what a worker that keeps the rules could have shown.
class evidence {
 public:
  /// `in_memory`: where its claims are, so that they can be revoked.
  explicit evidence(bool in_memory = false) : in_memory_{in_memory} {}

  void sent(const coterie::detail::message::run& what);
  /// A frame was taken. Returns the items whose outcomes it brings. It may tell the end of a chunk.
  item_range told(const coterie::detail::frame_header& what);
  /// To be called when what was told has been taken in. `unwanted`: the call that the worker is at
  /// has ended.
  void conclude(bool unwanted);
  /// What it has not claimed was revoked, in units of so many items. Returns what it holds no more.
  std::vector<item_range> revoked(const coterie::detail::claimed_items& seen, std::size_t unit);
  /// Nothing that it has shown is to be believed.
  void refuse() { refused_ = true; }
  [[nodiscard]] bool refused() const noexcept { return refused_; }
  /// The call that it is at; 0: it holds nothing.
  [[nodiscard]] coterie::detail::job_id job() const;
  /// It has ended, and `claims` is what it says there: the word, or the counter.
  [[nodiscard]] verdict ended(std::uint64_t claims) const;

 private:
  struct chunk {
    coterie::detail::job_id job;
    coterie::detail::chunk_id id;
    std::uint64_t number;  // among those that were sent, from 1
    std::size_t first;     // of the call's items; indices below count from here
    std::size_t begin;
    std::size_t end;
    std::size_t done;

    [[nodiscard]] item_range from(std::size_t index) const {
      return {.job = job, .first = first + index, .count = end - index};
    }
  };

  void over(coterie::detail::chunk_id id);
  item_range results(coterie::detail::job_id job, coterie::detail::chunk_id id, std::size_t at,
                     std::size_t count);
  [[nodiscard]] std::optional<coterie::detail::claimed_items> in_word(std::uint64_t claims) const;
  [[nodiscard]] coterie::detail::claimed_items in_counter(std::uint64_t claims) const;
  [[nodiscard]] std::optional<std::size_t> claimed_in_front(std::uint64_t claims) const;

  bool in_memory_;
  bool refused_ = false;
  std::vector<chunk> held_;                        // it runs the one in front
  std::optional<coterie::detail::chunk_id> over_;  // as it has told
  std::uint64_t sent_ = 0;
  std::uint64_t ended_ = 0;
  std::uint64_t revoked_ = 0;              // up to this number
  coterie::detail::claimed_items told_{};  // by frames
};

}  // namespace simulation
