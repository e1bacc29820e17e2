// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include <coterie/detail/cereal_probe.hpp>
#include <coterie/detail/decomposition.hpp>
#include <coterie/detail/type_kind.hpp>

// Plain aggregates: structs whose fields are found without a word from their author. They are
// counted by the values that initialise them; for structs with large arrays, where that takes the
// compiler long, by the empty lists.

namespace coterie::detail {

/// Stands for a value of any type but `Aggregate` itself, so that an initialiser meets a field.
/// Fields of a type that can be copied are given a reference: a value would make `std::optional`
/// and its like ambiguous.
template <class Aggregate, bool Copyable = std::is_copy_constructible_v<Aggregate>>
struct any_field {
  template <class T>
    requires(!std::is_same_v<T, Aggregate>)
  operator T&() const& noexcept;
  template <class T>
    requires(!std::is_same_v<T, Aggregate>)
  operator T&() const&& noexcept;
};

template <class Aggregate>
struct any_field<Aggregate, false> {
  template <class T>
    requires(!std::is_same_v<T, Aggregate>)
  operator T() const&& noexcept;
};

template <class Aggregate>
struct any_base {
  template <class T>
    requires(std::is_base_of_v<T, Aggregate> && !std::is_same_v<T, Aggregate>)
  operator T() const noexcept;
};

template <class T, std::size_t>
using any_field_at = any_field<T>;

/// Whether `T` is initialised by `Count` values.
template <class T, std::size_t Count>
inline constexpr bool takes_values = []<std::size_t... I>(std::index_sequence<I...>) {
  return requires { T{any_field_at<T, I>{}...}; };
}(std::make_index_sequence<Count>{});

/// Whether `T` is initialised by `Before` values, an empty list for one field, and `After` values.
template <class T, std::size_t Before, std::size_t After>
inline constexpr bool takes_list_between =
    []<std::size_t... I, std::size_t... J>(std::index_sequence<I...>, std::index_sequence<J...>) {
      return requires { T{any_field_at<T, I>{}..., {}, any_field_at<T, J>{}...}; };
    }(std::make_index_sequence<Before>{}, std::make_index_sequence<After>{});

/// The number of values that initialise `T` when the elements of arrays count one by one. `Low`
/// values are accepted, `High` are not.
template <class T, std::size_t Low, std::size_t High>
consteval std::size_t count_values_between() {
  if constexpr (High - Low == 1) {
    return Low;
  } else {
    constexpr std::size_t middle = Low + (High - Low) / 2;
    if constexpr (takes_values<T, middle>)
      return count_values_between<T, middle, High>();
    else
      return count_values_between<T, Low, middle>();
  }
}

/// More values than this are not counted one by one: it would take the compiler minutes.
inline constexpr std::size_t most_values = 1024;

template <class T, std::size_t High = 4>
consteval std::size_t count_values() {
  if constexpr (!takes_values<T, High>)
    return count_values_between<T, 0, High>();
  else if constexpr (High < most_values)
    return count_values<T, High * 4>();
  else
    return 0;
}

/// How many of the `Values` values that initialise `T` belong to the field that the value at
/// `Position` belongs to: one, unless the field is an array. An empty list fills a field whatever
/// its type; behind an array there is then room for fewer values. `Least` to `Most` is where the
/// answer is.
template <class T, std::size_t Values, std::size_t Position, std::size_t Least, std::size_t Most>
consteval std::size_t width_between() {
  if constexpr (Least == Most) {
    return Least;
  } else {
    constexpr std::size_t middle = Least + (Most - Least) / 2;
    if constexpr (takes_list_between<T, Position, Values - Position - middle>)
      return width_between<T, Values, Position, Least, middle>();
    else
      return width_between<T, Values, Position, middle + 1, Most>();
  }
}

template <class T, std::size_t Values, std::size_t Position>
consteval std::size_t width_at() {
  if constexpr (takes_list_between<T, Position, Values - Position - 1>)
    return 1;
  else if constexpr (!takes_list_between<T, Position, 0>)
    return 1;  // a class that an empty list does not initialise
  else
    return width_between<T, Values, Position, 2, Values - Position>();
}

template <class T, std::size_t Values, std::size_t Position = 0>
consteval std::size_t count_fields() {
  if constexpr (Position >= Values)
    return 0;
  else
    return 1 + count_fields<T, Values, Position + width_at<T, Values, Position>()>();
}

/// The number of fields, counted by empty lists: one fills a field of any length, even a large
/// array. `Low` lists are accepted, `High` are not. 0 if a field cannot be initialised by one.
template <class T, std::size_t Low = 0, std::size_t High = most_fields + 1>
consteval std::size_t count_lists() {
  if constexpr (High - Low > 1) {
    constexpr std::size_t middle = Low + (High - Low) / 2;
    if constexpr (decomposition<middle>::template takes_lists<T>)
      return count_lists<T, middle, High>();
    else
      return count_lists<T, Low, middle>();
  } else if constexpr (Low == 0) {
    return 0;
  } else {
    return decomposition<Low>::template takes_value_behind<T, any_field<T>> ? 0 : Low;
  }
}

/// The number of fields of the aggregate `T`; 0 if they cannot be told (see `plain_aggregate`).
template <class T>
consteval std::size_t field_count() {
  if constexpr (!std::is_default_constructible_v<T> || requires { T{any_base<T>{}}; }) {
    return 0;
  } else {
    constexpr std::size_t values = count_values<T>();
    if constexpr (values == 0) {
      return count_lists<T>();
    } else {
      constexpr std::size_t fields = count_fields<T, values>();
      return fields <= most_fields ? fields : 0;
    }
  }
}

template <class T>
inline constexpr std::size_t field_count_of = field_count<T>();

/// A struct that the codec takes apart itself: an aggregate without cereal functions, and no type
/// of the standard library that the codec knows. It need not be one that can travel.
template <class T>
concept aggregate_without_functions = std::is_class_v<T> && std::is_aggregate_v<T> &&
                                      kind_of<T> == kind::other && !has_cereal_functions<T>;

/// An `aggregate_without_functions` whose fields can be told: default-constructible, no base
/// classes, from 1 to `most_fields` fields, few and small arrays. Not seen before it is too late:
/// bit-fields and anonymous unions (the compiler then points into `decomposition.hpp`).
template <class T>
concept plain_aggregate = aggregate_without_functions<T> && field_count_of<T> > 0;

/// Calls `visit` with each field of `value`, in their order. Inlined by force: this is where
/// aggregates are written and read.
template <class T, class Visit>
[[gnu::always_inline]] constexpr void for_each_field(T& value, Visit&& visit) {
  decomposition<field_count_of<std::remove_const_t<T>>>::visit(
      value, [&](auto&... field) __attribute__((always_inline)) { (visit(field), ...); });
}

struct list_types {
  template <class... T>
  types<T...> operator()(T&...) const;
};

/// The types of the fields of a plain aggregate.
template <class T>
using field_types =
    decltype(decomposition<field_count_of<T>>::visit(std::declval<T&>(), list_types()));

}  // namespace coterie::detail
