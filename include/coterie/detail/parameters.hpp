// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

namespace coterie::detail {

/// The parameters of a callable as `std::tuple<...>`, and what it returns; `void` if they cannot be
/// told (a template, or several overloads).
template <class F, class = void>
struct parameters {
  using type = void;
  using returned = void;
  static constexpr bool known = false;
};
template <class R, class... P>
struct parameters<R (*)(P...)> {
  using type = std::tuple<P...>;
  using returned = R;
  static constexpr bool known = true;
};
template <class R, class... P>
struct parameters<R (*)(P...) noexcept> {
  using type = std::tuple<P...>;
  using returned = R;
  static constexpr bool known = true;
};
template <class C, class R, class... P>
struct parameters<R (C::*)(P...)> {
  using type = std::tuple<P...>;
  using returned = R;
  static constexpr bool known = true;
};
template <class C, class R, class... P>
struct parameters<R (C::*)(P...) const> {
  using type = std::tuple<P...>;
  using returned = R;
  static constexpr bool known = true;
};
template <class C, class R, class... P>
struct parameters<R (C::*)(P...) noexcept> {
  using type = std::tuple<P...>;
  using returned = R;
  static constexpr bool known = true;
};
template <class C, class R, class... P>
struct parameters<R (C::*)(P...) const noexcept> {
  using type = std::tuple<P...>;
  using returned = R;
  static constexpr bool known = true;
};
template <class F>
struct parameters<F, std::void_t<decltype(&F::operator())>> : parameters<decltype(&F::operator())> {
};

template <class F>
using parameters_t = typename parameters<F>::type;

/// What a value of type `Item` is decoded as for a parameter of type `Parameter`: a view into the
/// message where the function only looks at it, otherwise itself.
template <class Item, class Parameter>
struct received {
  using type = Item;
};
template <>
struct received<std::string, std::string_view> {
  using type = std::string_view;
};
template <class T>
struct received<std::vector<T>, std::span<const T>> {
  using type = std::span<const T>;
};
template <>
struct received<std::vector<bool>, std::span<const bool>> {
  using type = std::vector<bool>;
};

/// The same for a whole list of arguments.
template <class Items, class Parameters>
struct received_all {
  using type = Items;
};
template <class... Item, class... Parameter>
  requires(sizeof...(Item) == sizeof...(Parameter))
struct received_all<std::tuple<Item...>, std::tuple<Parameter...>> {
  using type = std::tuple<typename received<Item, std::remove_cvref_t<Parameter>>::type...>;
};

}  // namespace coterie::detail
