// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>

#include <coterie/detail/nesting.hpp>
#include <coterie/detail/read_once.hpp>

namespace coterie::detail {

/// Bytes do not make the value that they should. `what()` says in plain words what is wrong with
/// them.
class decode_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws a `decode_error`. Compiled, because it is thrown from many places that are templates.
[[noreturn, gnu::cold]] void throw_decode_error(const char* what);

/// Reads the bytes of a message, none of which is believed: every read is checked against the end,
/// and every size against the bytes that are left. The bytes may change meanwhile; see `read_once`.
/// All functions that read throw `decode_error`.
class reader {
 public:
  /// Elements may take no bytes (a class whose cereal function writes nothing), so the bytes that
  /// are left do not limit their number; this does.
  static constexpr std::size_t most_elements_without_bytes = 65536;

  /// `message` must stay where it is while the reader reads, and as long as views into it are used.
  explicit reader(std::span<const std::byte> message) noexcept
      : begin_(message.data()), next_(begin_), end_(begin_ + message.size()) {}

  /// The number of bytes not yet read.
  std::size_t remaining() const noexcept { return static_cast<std::size_t>(end_ - next_); }

  /// Passes over `count` bytes and returns the first of them.
  const std::byte* take(std::size_t count) {
    if (count > remaining()) [[unlikely]]
      throw_too_short(count - remaining());
    const std::byte* const taken = next_;
    next_ += count;
    return taken;
  }

  /// Reads a `T` of which every bit pattern is a value.
  template <class T>
    requires std::is_trivially_copyable_v<T>
  void get(T& value) {
    if constexpr (std::is_integral_v<T> && sizeof(T) <= sizeof(std::uint64_t)) {
      value = read_once<T>(take(sizeof(T)));
    } else {
      std::memcpy(&value, take(sizeof(T)), sizeof(T));
    }
  }

  template <class T>
  T get() {
    T value;
    get(value);
    return value;
  }

  void get_bytes(void* destination, std::size_t count) {
    const std::byte* const source = take(count);
    if (count != 0) std::memcpy(destination, source, count);
  }

  /// Reads a byte that must be 0 or 1.
  bool get_bool() {
    const auto byte = get<std::uint8_t>();
    if (byte > 1) [[unlikely]]
      throw_not_a_bool(byte);
    return byte == 1;
  }

  /// Reads the number of a container's elements.
  std::size_t get_size() {
    const auto size = get<std::uint64_t>();
    if (size > remaining() && size > most_elements_without_bytes) [[unlikely]]
      throw_lying_size(size, 1);
    return static_cast<std::size_t>(size);
  }

  /// Reads the number of elements that take `element_size` bytes each.
  std::size_t get_size(std::size_t element_size) {
    const auto size = get<std::uint64_t>();
    if (size > remaining() / element_size) [[unlikely]]
      throw_lying_size(size, element_size);
    return static_cast<std::size_t>(size);
  }

  /// For how many of `size` elements memory may be reserved before they are seen: never much more
  /// than the message itself takes.
  std::size_t reservable(std::size_t size, std::size_t element_size) const noexcept {
    return std::min(size, remaining() / element_size * 4 + 4);
  }

  /// Passes over what `writer::align` wrote.
  void align(std::size_t alignment) {
    take(static_cast<std::size_t>(begin_ - next_) & (alignment - 1));
  }

  /// Throws `decode_error` if bytes are left.
  void finish() const {
    if (next_ != end_) [[unlikely]]
      throw_too_many(remaining());
  }

  /// Throws `decode_error` if values nest so deeply that the stack is in danger.
  void check_nesting() const {
    if (nesting_.too_deep()) [[unlikely]]
      throw_decode_error("message nests values too deeply");
  }

 private:
  [[noreturn]] static void throw_too_short(std::size_t missing);
  [[noreturn]] static void throw_too_many(std::size_t excess);
  [[noreturn]] static void throw_not_a_bool(unsigned byte);
  [[noreturn]] void throw_lying_size(std::uint64_t size, std::size_t element_size) const;

  const std::byte* begin_;
  const std::byte* next_;
  const std::byte* end_;
  nesting nesting_;
};

}  // namespace coterie::detail
