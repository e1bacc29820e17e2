// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <vector>

namespace coterie::detail {

/// Ranks in a row, each of them once. Everything takes constant time, but for `remove_if` and going through all.
class rank_queue {
 public:
  explicit rank_queue(int ranks) : places_(static_cast<std::size_t>(ranks) + 1), anchor_{ranks} {
    at(anchor_) = {.before = anchor_, .behind = anchor_};
  }

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// Precondition: it is not empty.
  [[nodiscard]] int front() const { return at(anchor_).behind; }

  /// Unless it is there already.
  void add(int rank) {
    if (!is_in(rank)) insert(rank, anchor_);
  }
  /// Wherever it was.
  void add_at_end(int rank) {
    if (is_in(rank)) remove(rank);
    insert(rank, anchor_);
  }
  void add_in_front(int rank) {
    if (is_in(rank)) remove(rank);
    insert(rank, at(anchor_).behind);
  }
  int take_front() {
    const int rank = front();
    remove(rank);
    return rank;
  }

  template <class Action>
  void for_each(Action action) const {
    for (int rank = at(anchor_).behind; rank != anchor_; rank = at(rank).behind) action(rank);
  }
  template <class Condition>
  void remove_if(Condition condition) {
    for (int rank = at(anchor_).behind; rank != anchor_;) {
      const int next = at(rank).behind;
      if (condition(rank)) remove(rank);
      rank = next;
    }
  }

 private:
  static constexpr int nobody = -1;

  struct place {
    int before = nobody;
    int behind = nobody;
  };

  place& at(int rank) { return places_[static_cast<std::size_t>(rank)]; }
  [[nodiscard]] const place& at(int rank) const { return places_[static_cast<std::size_t>(rank)]; }
  [[nodiscard]] bool is_in(int rank) const { return at(rank).behind != nobody; }

  void insert(int rank, int behind) {
    const int before = at(behind).before;
    at(rank) = {.before = before, .behind = behind};
    at(before).behind = rank;
    at(behind).before = rank;
    ++size_;
  }
  void remove(int rank) {
    const place where = at(rank);
    at(where.before).behind = where.behind;
    at(where.behind).before = where.before;
    at(rank) = {};
    --size_;
  }

  // A ring: who is first stands behind the anchor, who is last before it.
  std::vector<place> places_;
  int anchor_;
  std::size_t size_ = 0;
};

}  // namespace coterie::detail
