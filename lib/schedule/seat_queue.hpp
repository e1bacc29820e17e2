// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <vector>

namespace coterie::detail {

/// Seats in a row, each of them once. Everything takes constant time, but for `remove_if` and
/// `for_each`.
class seat_queue {
 public:
  explicit seat_queue(std::size_t seats) : places_(seats + 1), anchor_{seats} {
    places_[anchor_] = {.before = anchor_, .behind = anchor_};
  }

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// Precondition: it is not empty.
  [[nodiscard]] std::size_t front() const { return places_[anchor_].behind; }

  /// Unless it is there already.
  void add(std::size_t seat) {
    if (!contains(seat)) insert(seat, anchor_);
  }
  /// Wherever it was.
  void add_at_end(std::size_t seat) {
    if (contains(seat)) remove(seat);
    insert(seat, anchor_);
  }
  void add_in_front(std::size_t seat) {
    if (contains(seat)) remove(seat);
    insert(seat, front());
  }
  std::size_t take_front() {
    const std::size_t seat = front();
    remove(seat);
    return seat;
  }

  template <class Action>
  void for_each(Action action) const {
    for (std::size_t seat = front(); seat != anchor_; seat = places_[seat].behind) action(seat);
  }
  template <class Condition>
  void remove_if(Condition condition) {
    for (std::size_t seat = front(); seat != anchor_;) {
      const std::size_t next = places_[seat].behind;
      if (condition(seat)) remove(seat);
      seat = next;
    }
  }

 private:
  static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

  struct place {
    std::size_t before = nowhere;
    std::size_t behind = nowhere;
  };

  [[nodiscard]] bool contains(std::size_t seat) const { return places_[seat].behind != nowhere; }

  void insert(std::size_t seat, std::size_t behind) {
    const std::size_t before = places_[behind].before;
    places_[seat] = {.before = before, .behind = behind};
    places_[before].behind = seat;
    places_[behind].before = seat;
    ++size_;
  }
  void remove(std::size_t seat) {
    const place where = places_[seat];
    places_[where.before].behind = where.behind;
    places_[where.behind].before = where.before;
    places_[seat] = {};
    --size_;
  }

  // A ring: the first seat stands behind the anchor, the last before it.
  std::vector<place> places_;
  std::size_t anchor_;
  std::size_t size_ = 0;
};

}  // namespace coterie::detail
