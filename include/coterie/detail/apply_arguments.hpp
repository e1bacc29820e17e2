// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include <boost/asio/use_awaitable.hpp>

#include <coterie/ext/codec.hpp>

namespace coterie::detail {

template <class F, class... A>
inline constexpr bool takes =
    std::is_invocable_v<F&, travel_t<A>...> || std::is_invocable_v<F&, travel_t<A>&...>;

template <class F, class Arguments, class Indices>
inline constexpr bool takes_first = false;
template <class F, class... A, std::size_t... I>
inline constexpr bool takes_first<F, std::tuple<A...>, std::index_sequence<I...>> =
    takes<F, std::tuple_element_t<I, std::tuple<A...>>...>;

/// Tells the arguments of a function from a completion token behind them, and calls
/// `body(token, arguments...)`. If all of them make a call there is no token.
template <class F, class Body, class... A>
decltype(auto) split_arguments(Body body, A&&... arguments) {
  if constexpr (sizeof...(A) > 0 && !takes<F, A...>) {
    using fewer = std::make_index_sequence<sizeof...(A) - 1>;
    if constexpr (takes_first<F, std::tuple<A...>, fewer>) {
      auto all = std::forward_as_tuple(std::forward<A>(arguments)...);
      return [&]<std::size_t... I>(std::index_sequence<I...>) -> decltype(auto) {
        return body(std::get<sizeof...(A) - 1>(std::move(all)), std::get<I>(std::move(all))...);
      }(fewer{});
    } else {
      return body(boost::asio::use_awaitable_t<>{}, std::forward<A>(arguments)...);
    }
  } else {
    return body(boost::asio::use_awaitable_t<>{}, std::forward<A>(arguments)...);
  }
}

}  // namespace coterie::detail
