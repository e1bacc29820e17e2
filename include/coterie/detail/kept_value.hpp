// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <memory>

namespace coterie::detail {

/// Names a value that is kept elsewhere, under a number that is never used again. So the destructor
/// may run again on a copy of the bytes, as it does in code of g++ 12: it finds nothing, and does
/// nothing. (`coterie::option` says more.)
class kept_value {
 public:
  /// No value.
  kept_value() = default;
  explicit kept_value(std::shared_ptr<const void> value);
  kept_value(const kept_value& other);
  kept_value& operator=(const kept_value& other);
  ~kept_value() {
    if (number_ != 0) give_back();
  }

  [[nodiscard]] explicit operator bool() const noexcept { return number_ != 0; }
  /// Null if there is no value. Throws `std::invalid_argument` if the value was given back through
  /// a copy of the bytes.
  [[nodiscard]] std::shared_ptr<const void> get() const;

 private:
  void give_back() const noexcept;

  std::uint64_t number_ = 0;  // 0: no value
};

}  // namespace coterie::detail
