// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <stdexcept>
#include <string_view>

#include <coterie/detail/byte_buffer.hpp>

namespace coterie::detail {

/// Numbers and texts as they lie in an encoded exception. Both ends are the same build on the same
/// kind of machine, so numbers keep their native form.
inline void put_number(byte_buffer& out, std::int64_t number) {
  out.append(&number, sizeof number);
}

inline void put_text(byte_buffer& out, std::string_view text) {
  put_number(out, static_cast<std::int64_t>(text.size()));
  out.append(text.data(), text.size());
}

/// Takes the same apart again. Every function throws `std::runtime_error` when the bytes are not
/// what it expects.
class field_reader {
 public:
  explicit field_reader(std::span<const std::byte> bytes) noexcept : rest_(bytes) {}

  std::int64_t number() {
    std::int64_t value = 0;
    const std::span<const std::byte> bytes = take(sizeof value);
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }

  /// A number between the limits, both included.
  int number(int lowest, int highest) {
    const std::int64_t value = number();
    if (value < lowest || value > highest) throw std::runtime_error("a number is out of range");
    return static_cast<int>(value);
  }

  int integer() { return number(std::numeric_limits<int>::min(), std::numeric_limits<int>::max()); }

  /// Points into the bytes.
  std::string_view text() {
    const std::int64_t size = number();
    if (size < 0) throw std::runtime_error("a length is negative");
    const std::span<const std::byte> bytes = take(static_cast<std::uint64_t>(size));
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  std::span<const std::byte> remaining() const noexcept { return rest_; }

  void expect_end() const {
    if (!rest_.empty()) throw std::runtime_error("there are bytes left over");
  }

 private:
  std::span<const std::byte> take(std::uint64_t count) {
    if (count > rest_.size()) throw std::runtime_error("the bytes end too early");
    const std::span<const std::byte> taken = rest_.first(static_cast<std::size_t>(count));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

  std::span<const std::byte> rest_;
};

}  // namespace coterie::detail
