// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstring>
#include <type_traits>

namespace coterie::detail {

/// The number that lies in memory which another process may change at any time. What is checked
/// afterwards is what is used: without the barrier, the compiler may read the memory a second time.
template <class T>
  requires std::is_integral_v<T> || std::is_enum_v<T>
T read_once(const std::byte* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof value);
  asm("" : "+r"(value));
  return value;
}

}  // namespace coterie::detail
