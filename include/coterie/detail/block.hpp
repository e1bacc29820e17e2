// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <type_traits>

#include <coterie/detail/aggregate.hpp>
#include <coterie/detail/type_kind.hpp>

namespace coterie::detail {

/// `std::complex` of a floating-point type. Known by its members: <complex> is a large header.
template <class T>
concept complex_number = !std::is_aggregate_v<T> && requires(const T& number) {
  requires std::is_floating_point_v<typename T::value_type>;
  requires sizeof(T) == 2 * sizeof(typename T::value_type);
  requires std::is_same_v<decltype(number.real()), typename T::value_type>;
  requires std::is_same_v<decltype(number.imag()), typename T::value_type>;
};

template <class T>
consteval bool is_block();

template <class... T>
consteval bool all_blocks(types<T...>) {
  return (is_block<T>() && ...);
}

template <class T>
consteval bool is_block() {
  if constexpr (std::is_const_v<T> || std::is_volatile_v<T> || !std::is_trivially_copyable_v<T>) {
    return false;
  } else if constexpr (std::is_enum_v<T>) {
    return !std::is_same_v<std::underlying_type_t<T>, bool>;
  } else if constexpr (std::is_arithmetic_v<T>) {
    return !std::is_same_v<T, bool>;
  } else if constexpr (std::is_array_v<T>) {
    return is_block<std::remove_extent_t<T>>();
  } else if constexpr (kind_of<T> == kind::array || kind_of<T> == kind::duration ||
                       kind_of<T> == kind::time_point) {
    return all_blocks(parts_of<T>());
  } else if constexpr (!std::is_class_v<T> || std::is_empty_v<T> || kind_of<T> != kind::other) {
    return false;
  } else if constexpr (complex_number<T>) {
    return true;
  } else if constexpr (plain_aggregate<T>) {
    return all_blocks(field_types<T>());
  } else {
    return false;
  }
}

/// Whether a `T` travels as the bytes it has in memory, so that many of them move as one block:
/// numbers, enumerations, complex numbers, durations and time points, and arrays and plain
/// aggregates of these. Not `bool`, nor what holds one: not every byte is a `bool`, so each is
/// looked at. Not pointers.
template <class T>
inline constexpr bool block_copyable = is_block<T>();

}  // namespace coterie::detail
