// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <span>
#include <type_traits>
#include <utility>

#include <coterie/ext/codec.hpp>

namespace coterie::detail {

template <class T>
inline constexpr bool is_span = false;
template <class T, std::size_t Extent>
inline constexpr bool is_span<std::span<T, Extent>> = true;

/// An argument as it travels when the call is to keep it: moved in where it can be, copied where it
/// is a view of something.
template <class A>
travel_t<A> owned(A&& argument) {
  if constexpr (is_span<std::remove_cvref_t<A>>) {
    return travel_t<A>(argument.begin(), argument.end());
  } else {
    return travel_t<A>(std::forward<A>(argument));
  }
}

}  // namespace coterie::detail
