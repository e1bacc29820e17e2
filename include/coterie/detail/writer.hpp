// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <new>
#include <stdexcept>
#include <type_traits>

#include <coterie/detail/byte_buffer.hpp>
#include <coterie/detail/nesting.hpp>

namespace coterie::detail {

/// Writes the bytes of a message behind what a buffer already holds. The buffer has them after
/// `finish`, and none of them before. Until then nothing else may touch the buffer.
class writer {
 public:
  /// The message starts at the buffer's present end: alignment is counted from there.
  explicit writer(byte_buffer& buffer) noexcept
      : buffer_(buffer),
        next_(buffer.data() + buffer.size()),
        limit_(buffer.data() + buffer.capacity()) {}

  writer(const writer&) = delete;
  writer& operator=(const writer&) = delete;

  /// Gives the message to the buffer. Nothing may be written afterwards.
  void finish() noexcept { buffer_.commit(written()); }

  /// Writes the bytes of `value` as they are in memory.
  template <class T>
    requires std::is_trivially_copyable_v<T>
  void put(const T& value) {
    std::memcpy(extend(sizeof(T)), &value, sizeof(T));
  }

  void put_bytes(const void* source, std::size_t count) {
    if (count != 0) std::memcpy(extend(count), source, count);
  }

  void put_size(std::size_t size) { put(static_cast<std::uint64_t>(size)); }

  /// Writes zeros up to a multiple of `alignment` (a power of two), counted from the message's
  /// start.
  void align(std::size_t alignment) {
    const std::size_t missing = (0 - written()) & (alignment - 1);
    if (missing != 0) std::memset(extend(missing), 0, missing);
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

  std::size_t written() const noexcept {
    return static_cast<std::size_t>(next_ - buffer_.data()) - buffer_.size();
  }

  std::byte* extend(std::size_t count) {
    if (count > static_cast<std::size_t>(limit_ - next_)) [[unlikely]]
      grow(count);
    std::byte* const added = next_;
    next_ += count;
    return added;
  }

  [[gnu::noinline, gnu::cold]] void grow(std::size_t count) {
    const std::size_t before = written();
    if (count > std::numeric_limits<std::size_t>::max() - before) throw std::bad_alloc();
    next_ = buffer_.prepare(before + count) + before;
    limit_ = buffer_.data() + buffer_.capacity();
  }

  byte_buffer& buffer_;
  // The end of what is written, here instead of in the buffer: one step nearer for every small
  // value.
  std::byte* next_;
  std::byte* limit_;
  nesting nesting_;
};

}  // namespace coterie::detail
