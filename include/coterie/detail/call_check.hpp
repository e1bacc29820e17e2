// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <limits>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>

#include <boost/asio/async_result.hpp>

#include <coterie/call_options.hpp>
#include <coterie/detail/function_task.hpp>
#include <coterie/detail/initiate.hpp>
#include <coterie/detail/owned.hpp>

// Refuses calls that cannot be made, each with one sentence. What is refused is not instantiated
// any further: the sentence is the first thing that the compiler says, and little comes after it.

namespace coterie::detail {

/// A reason in a name, since C++20 has no words for a deleted function.
struct
    coterie_no_such_call_wrap_the_name_of_an_overloaded_function_or_template_in_a_lambda_name_a_braced_list_first_or_correct_the_options;
using no_such_call =
    coterie_no_such_call_wrap_the_name_of_an_overloaded_function_or_template_in_a_lambda_name_a_braced_list_first_or_correct_the_options;

/// Stands for a result that is not known because the call was refused. Fits anywhere, so that the
/// compiler finds no further fault.
struct refused_result {
  template <class T>
  operator T() const;
  template <class Stream>
  friend Stream& operator<<(Stream& stream, const refused_result&) {
    return stream;
  }
};

template <class R>
consteval auto stand_in() {
  using value = typename call_result<R>::type;
  if constexpr (std::is_void_v<R> ||
                (std::is_default_constructible_v<value> && std::is_copy_constructible_v<value>))
    return std::type_identity<value>();
  else
    return std::type_identity<refused_result>();
}

/// What a refused call would have given, as far as can be told.
template <class F>
consteval auto likely_result() {
  if constexpr (parameters<F>::known)
    return stand_in<typename parameters<F>::returned>();
  else
    return std::type_identity<refused_result>();
}

/// Whether an argument loses its value in a parameter: a fraction, or the upper part of an integer.
/// Integers become floating-point numbers, and change their sign, as they do in C++.
template <class Parameter, class Argument>
consteval bool narrows() {
  using to = std::remove_cvref_t<Parameter>;
  using from = std::remove_cvref_t<Argument>;
  if constexpr (!std::is_arithmetic_v<to> || !std::is_arithmetic_v<from>)
    return false;
  else if constexpr (std::is_floating_point_v<to>)
    return std::is_floating_point_v<from> &&
           std::numeric_limits<to>::digits < std::numeric_limits<from>::digits;
  else
    return std::is_floating_point_v<from> ||
           std::numeric_limits<to>::digits < std::numeric_limits<from>::digits;
}

template <class Parameters, class Arguments>
inline constexpr bool any_narrows = false;
template <class... P, class... A>
  requires(sizeof...(P) == sizeof...(A))
inline constexpr bool any_narrows<std::tuple<P...>, std::tuple<A...>> = (narrows<P, A>() || ...);

/// A value as the arguments that a form makes of it.
template <class Form, class Item>
struct arguments_of {
  using type = std::tuple<Item>;
};
template <class... T>
struct arguments_of<spread_item, std::tuple<T...>> {
  using type = std::tuple<T...>;
};
template <class T, class U>
struct arguments_of<spread_item, std::pair<T, U>> {
  using type = std::tuple<T, U>;
};
template <class T, std::size_t N>
struct arguments_of<spread_item, std::array<T, N>> {
  using type = decltype(std::tuple_cat(std::declval<std::array<T, N>>()));
};

template <class Item>
concept tuple_like = requires { std::tuple_size<Item>::value; };

template <class R>
concept coroutine = requires { typename std::coroutine_traits<R>::promise_type; };

/// Where a call's items come from, for the words of a refusal.
enum class call_form { map, starmap, apply };

template <call_form Form, class F, class Item>
consteval void refuse_arguments() {
  constexpr bool is_tuple = tuple_like<Item>;
  constexpr bool spreads = spreads_into<F, Item>;
  static_assert(Form != call_form::map || !spreads,
                "coterie: map and imap pass each item as the one argument, and these items are "
                "tuples; starmap and istarmap spread a tuple over several arguments");
  static_assert(
      Form != call_form::map || spreads,
      "coterie: the function cannot be called with what the input holds; map and imap "
      "pass each item as the one argument, starmap and istarmap spread a tuple over several");
  static_assert(Form != call_form::starmap || is_tuple,
                "coterie: the items of starmap and istarmap are tuples of arguments, and these are "
                "no std::tuple, std::pair or std::array; map and imap pass an item as it is");
  static_assert(Form != call_form::starmap || !is_tuple,
                "coterie: the function cannot be called with the elements of an item: starmap and "
                "istarmap need a tuple of as many elements as the function has parameters, each of "
                "a type that fits");
  if constexpr (Form == call_form::apply) {
    constexpr bool miscounted = [] {
      if constexpr (!parameters<F>::known || !is_tuple)
        return false;
      else
        return std::tuple_size_v<parameters_t<F>> != std::tuple_size_v<Item>;
    }();
    static_assert(!miscounted,
                  "coterie: apply was given another number of arguments than the function takes");
    static_assert(miscounted,
                  "coterie: apply was given arguments of types with which the function cannot be "
                  "called (a string literal arrives as a std::string)");
  }
}

template <class F, class Item>
consteval void refuse_reference() {
  static_assert(
      never<F>,
      "coterie: the function takes a reference that is not const, and would change a copy "
      "in the worker that the caller never sees; take a value or a const reference, and "
      "return what is new");
}

template <class F, class Arguments>
consteval void refuse_narrowing() {
  static_assert(never<F>,
                "coterie: an argument loses its value in the function's parameter, which is of a "
                "narrower type; make the types the same, or convert before the call");
}

template <class F, class Result>
consteval void refuse_coroutine() {
  static_assert(
      never<F>,
      "coterie: a coroutine cannot be a task: a worker calls a function and sends what it "
      "returns; pass a plain function (which may run an io_context of its own)");
}

template <class Argument>
consteval void refuse_copy() {
  static_assert(never<Argument>,
                "coterie: this argument cannot be copied: move it into the call with std::move");
}

template <class Range>
consteval void refuse_input() {
  static_assert(
      never<Range>,
      "coterie: the items must be a range (of values, such as a std::vector); one call of "
      "the function is apply's");
}

template <class Token>
consteval void refuse_token() {
  static_assert(never<Token>,
                "coterie: the last argument is no completion token for this operation, nor, in "
                "apply, an argument that the function takes: one argument too many?");
}

/// Whether arguments can be moved or copied into a call. If not, says so.
template <class... A>
consteval bool check_copies() {
  [[maybe_unused]] constexpr auto keeps = []<class Argument>(std::type_identity<Argument>) {
    constexpr bool kept = is_span<std::remove_cvref_t<Argument>> ||
                          std::is_constructible_v<travel_t<Argument>, Argument>;
    if constexpr (!kept) refuse_copy<Argument>();
    return kept;
  };
  return (keeps(std::type_identity<A&&>()) && ...);
}

/// A completion token in the place of options, which may be left out.
template <class T>
concept no_options = !std::is_convertible_v<T, map_options>;

/// True if a function can be called with such items, and its result can travel. If not, says why.
template <class Form, call_form How, class F, class Item>
consteval bool check_call() {
  if constexpr (!check_callable<F>()) {
    return false;
  } else if constexpr (!check_travels<Item>()) {
    return false;
  } else if constexpr (!Form::template callable<F, received_t<Form, F, Item>>) {
    if constexpr (Form::template callable_with_lvalue<F, received_t<Form, F, Item>>)
      refuse_reference<F, Item>();
    else
      refuse_arguments<How, F, Item>();
    return false;
  } else if constexpr (any_narrows<parameters_t<F>, typename arguments_of<Form, Item>::type>) {
    refuse_narrowing<F, Item>();
    return false;
  } else {
    using result = call_result_t<Form, F, Item>;
    if constexpr (std::is_void_v<result>) {
      return true;
    } else if constexpr (coroutine<result>) {
      refuse_coroutine<F, result>();
      return false;
    } else {
      return check_travels<result>();
    }
  }
}

template <class Token, class Signature>
inline constexpr bool is_token = [] {
  using token = std::decay_t<Token>;
  if constexpr (is_use_awaitable<token>) {
    return true;
  } else if constexpr (requires {
                         requires std::is_same_v<typename boost::asio::async_result<
                                                     token, Signature>::completion_handler_type,
                                                 token>;
                       }) {
    return boost::asio::completion_handler_for<token, Signature>;  // a plain function object
  } else {
    return true;
  }
}();

/// Whether `Token` is a completion token for an operation of this signature. If not, says so.
template <class Token, class Signature>
consteval bool check_token() {
  if constexpr (!is_token<Token, Signature>) refuse_token<Token>();
  return is_token<Token, Signature>;
}

}  // namespace coterie::detail
