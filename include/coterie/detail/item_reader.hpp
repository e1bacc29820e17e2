// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <type_traits>

#include <coterie/detail/read_once.hpp>
#include <coterie/detail/record.hpp>
#include <coterie/ext/codec.hpp>

namespace coterie::detail {

/// Whether values of this type travel as they lie in memory, one after the other, without records.
template <class T>
inline constexpr bool raw_item = block_copyable<T>;
template <>
inline constexpr bool raw_item<void> = false;
template <>
inline constexpr bool raw_item<bool> = true;  // a byte that is looked at

/// Takes values one by one off the payload of a chunk, or of its results.
template <class T>
class item_reader {
 public:
  static constexpr bool raw = raw_item<T>;

  /// Throws `decode_error` if raw values are not as many bytes as they must be.
  item_reader(std::span<const std::byte> bytes, std::size_t count) : rest_{bytes} {
    if constexpr (raw) {
      if (bytes.size() / sizeof(T) != count || bytes.size() % sizeof(T) != 0) {
        throw decode_error{"the number of bytes does not fit the number of values"};
      }
    }
  }

  /// Reads the first `count` of values of which there may be more. Throws `decode_error` if there are fewer, as
  /// far as that can be seen at once.
  static item_reader first_of(std::span<const std::byte> bytes, std::size_t count) {
    if constexpr (raw) {
      if (bytes.size() / sizeof(T) < count) {
        throw decode_error{"there are fewer values than were to be read"};
      }
      bytes = bytes.first(count * sizeof(T));
    }
    return {bytes, count};
  }

  /// Leaves values out; throws `decode_error` if there are not as many.
  void skip(std::size_t count) {
    if constexpr (raw) {
      if (rest_.size() / sizeof(T) < count) {
        throw decode_error{"there are fewer values than were to be left out"};
      }
      rest_ = rest_.subspan(count * sizeof(T));
    } else {
      for (; count > 0; --count) take_record(rest_);
    }
  }

  /// A raw value, or the bytes of the next record; throws `decode_error` if there is none.
  auto next() {
    if constexpr (std::is_same_v<T, bool>) {
      const auto byte = read_once<unsigned char>(rest_.data());
      if (byte > 1) throw decode_error{"a bool is neither true nor false"};
      rest_ = rest_.subspan(1);
      return byte == 1;
    } else if constexpr (raw) {
      T value;
      std::memcpy(static_cast<void*>(&value), rest_.data(), sizeof value);
      rest_ = rest_.subspan(sizeof value);
      return value;
    } else {
      return take_record(rest_);
    }
  }

 private:
  std::span<const std::byte> rest_;
};

}  // namespace coterie::detail
