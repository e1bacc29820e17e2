// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <type_traits>

#include <coterie/detail/byte_buffer.hpp>
#include <coterie/detail/nesting.hpp>

namespace coterie::detail {

/// Writes the bytes of a message behind what a buffer already holds.
class writer {
 public:
  /// The message starts at the buffer's present end: alignment is counted from there.
  explicit writer(byte_buffer& buffer) noexcept : buffer_(buffer), start_(buffer.size()) {}

  /// Writes the bytes of `value` as they are in memory.
  template <class T>
    requires std::is_trivially_copyable_v<T>
  void put(const T& value) {
    std::memcpy(buffer_.extend(sizeof(T)), &value, sizeof(T));
  }

  void put_bytes(const void* source, std::size_t count) { buffer_.append(source, count); }

  void put_size(std::size_t size) { put(static_cast<std::uint64_t>(size)); }

  /// Writes zeros up to a multiple of `alignment` (a power of two), counted from the message's start.
  void align(std::size_t alignment) {
    const std::size_t missing = (start_ - buffer_.size()) & (alignment - 1);
    if (missing != 0) std::memset(buffer_.extend(missing), 0, missing);
  }

  /// Throws `std::length_error` if values nest so deeply that the stack is in danger.
  void check_nesting() const {
    if (nesting_.too_deep()) [[unlikely]]
      throw_nested_too_deeply();
  }

 private:
  [[noreturn, gnu::noinline, gnu::cold]] static void throw_nested_too_deeply() {
    throw std::length_error("the value nests too deeply to travel");
  }

  byte_buffer& buffer_;
  std::size_t start_;
  nesting nesting_;
};

}  // namespace coterie::detail
