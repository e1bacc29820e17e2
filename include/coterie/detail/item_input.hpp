// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>

#include <coterie/detail/byte_buffer.hpp>
#include <coterie/detail/input.hpp>
#include <coterie/detail/item_reader.hpp>
#include <coterie/detail/record.hpp>
#include <coterie/ext/codec.hpp>

namespace coterie::detail {

/// Owns a range that was moved in, or borrows one that is the caller's.
/// `Range` is what a forwarding reference deduced: `T&` for an lvalue.
template <class Range>
class item_input final : public input {
 public:
  using range_type = std::remove_reference_t<Range>;
  using item_type = travel_t<std::ranges::range_value_t<range_type>>;

  explicit item_input(Range&& range) : range_{std::forward<Range>(range)} {}

  /// The number of items, if the range knows it.
  [[nodiscard]] static std::optional<std::size_t> size_of(range_type& range) {
    if constexpr (std::ranges::sized_range<range_type>) {
      return static_cast<std::size_t>(std::ranges::size(range));
    } else {
      return std::nullopt;
    }
  }

 private:
  void take(const cut_limits& limits, byte_buffer& out, cut_result& taken) override {
    if (!position_) position_.emplace(std::ranges::begin(range()));
    if constexpr (in_one_block) {
      take_block(limits, out, taken);
    } else {
      while (taken.count < limits.most &&
             (taken.count < limits.least || out.size() < limits.enough_bytes) && advance()) {
        take_one(out, taken);
        ++taken.count;
      }
    }
    taken.exhausted = at_end();
  }

  static constexpr bool in_one_block =
      raw_item<item_type> && !std::is_same_v<item_type, bool> &&
      std::ranges::contiguous_range<range_type> && std::ranges::sized_range<range_type> &&
      std::is_same_v<item_type, std::ranges::range_value_t<range_type>>;
  // Reading ahead in a range that can be read only once would take, or compute, an item before it
  // is wanted.
  static constexpr bool may_look_ahead = std::ranges::forward_range<range_type>;

  range_type& range() {
    if constexpr (std::is_lvalue_reference_v<Range>) {
      return range_.get();
    } else {
      return range_;
    }
  }

  // Moves to the next item; false if there is none.
  bool advance() {
    step();
    if (*position_ == std::ranges::end(range())) {
      ended_ = true;
      return false;
    }
    return true;
  }

  bool at_end() {
    if constexpr (may_look_ahead) {
      step();
      return *position_ == std::ranges::end(range());
    } else {
      return ended_;
    }
  }

  // Behind an item that was taken: not before it is counted, because this may throw.
  void step() {
    if (std::exchange(step_is_due_, false)) ++*position_;
  }

  // Encoded where it is, unless it is a proxy.
  template <class Reference>
  static decltype(auto) as_item(Reference&& reference) {
    using value_type = std::remove_cvref_t<Reference>;
    if constexpr (std::is_lvalue_reference_v<Reference> && encodable<value_type> &&
                  std::is_same_v<travel_t<value_type>, item_type>) {
      return static_cast<const value_type&>(reference);
    } else {
      return item_type(std::forward<Reference>(reference));
    }
  }

  void take_one(byte_buffer& out, const cut_result& taken) {
    if constexpr (raw_item<item_type>) {
      const item_type item(**position_);
      out.append(&item, sizeof item);
    } else {
      // The range's own failures fail the whole call; those of the encoding, one item.
      decltype(auto) item = as_item(**position_);
      record_writer record{out};
      try {
        coterie::encode(out, item);
        record.end();
      } catch (...) {
        note_error(taken);
        record.end_empty();
      }
    }
    step_is_due_ = true;
  }

  void take_block(const cut_limits& limits, byte_buffer& out, cut_result& taken) {
    const auto left = static_cast<std::size_t>(std::ranges::end(range()) - *position_);
    const std::size_t enough = limits.enough_bytes / sizeof(item_type);
    taken.count = std::min({limits.most, left, std::max(limits.least, enough)});
    if (taken.count == 0) return;
    out.append(std::to_address(*position_), taken.count * sizeof(item_type));
    *position_ += static_cast<std::ranges::range_difference_t<range_type>>(taken.count);
  }

  using holder = std::conditional_t<std::is_lvalue_reference_v<Range>,
                                    std::reference_wrapper<range_type>, range_type>;

  holder range_;
  std::optional<std::ranges::iterator_t<range_type>> position_;
  bool step_is_due_ = false;
  bool ended_ = false;
};

}  // namespace coterie::detail
