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

/// Takes the next value off the payload of a chunk, or of its results: a raw value, or the bytes of
/// a record. Throws `decode_error` if there is no record. Precondition: there is a raw value.
template <class T>
auto take_item(std::span<const std::byte>& rest) {
  if constexpr (std::is_same_v<T, bool>) {
    const auto byte = read_once<unsigned char>(rest.data());
    if (byte > 1) throw_decode_error("a bool is neither true nor false");
    rest = rest.subspan(1);
    return byte == 1;
  } else if constexpr (raw_item<T>) {
    T value;
    std::memcpy(static_cast<void*>(&value), rest.data(), sizeof value);
    rest = rest.subspan(sizeof value);
    return value;
  } else {
    return take_record(rest);
  }
}

/// Throws `decode_error` unless `bytes` are `count` raw values of `size` bytes.
void check_raw_items(std::span<const std::byte> bytes, std::size_t size, std::size_t count);

/// The items `first` to `end` of `bytes`, where more may follow: raw values of `size` bytes, or
/// records (0). Throws `decode_error` if there are fewer, as far as that can be seen at once.
std::span<const std::byte> items_between(std::span<const std::byte> bytes, std::size_t size,
                                         std::size_t first, std::size_t end);

}  // namespace coterie::detail
