// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <deque>
#include <vector>

namespace coterie::detail {

/// Ranks in a row, each of them once.
class rank_queue {
 public:
  explicit rank_queue(int ranks) : is_in_(static_cast<std::size_t>(ranks)) {}

  [[nodiscard]] bool empty() const noexcept { return row_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return row_.size(); }
  [[nodiscard]] int front() const { return row_.front(); }
  [[nodiscard]] auto begin() const noexcept { return row_.begin(); }
  [[nodiscard]] auto end() const noexcept { return row_.end(); }

  /// Unless it is there already.
  void add(int rank) {
    if (is_in(rank)) return;
    is_in_[static_cast<std::size_t>(rank)] = true;
    row_.push_back(rank);
  }
  void add_in_front(int rank) {
    if (is_in(rank)) std::erase(row_, rank);
    is_in_[static_cast<std::size_t>(rank)] = true;
    row_.push_front(rank);
  }
  int take_front() {
    const int rank = row_.front();
    row_.pop_front();
    is_in_[static_cast<std::size_t>(rank)] = false;
    return rank;
  }
  template <class Condition>
  void remove_if(Condition condition) {
    std::erase_if(row_, [&](int rank) {
      const bool goes = condition(rank);
      if (goes) is_in_[static_cast<std::size_t>(rank)] = false;
      return goes;
    });
  }

 private:
  [[nodiscard]] bool is_in(int rank) const { return is_in_[static_cast<std::size_t>(rank)]; }

  std::deque<int> row_;
  std::vector<bool> is_in_;
};

}  // namespace coterie::detail
