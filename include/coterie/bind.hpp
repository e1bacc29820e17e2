// SPDX-License-Identifier: BSL-1.0
#pragma once

// clang-format off: first of all
#include <coterie/detail/language.hpp>
// clang-format on

#include <cstddef>
#include <functional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

#include <coterie/detail/callable.hpp>
#include <coterie/detail/effect_task.hpp>
#include <coterie/detail/owned.hpp>
#include <coterie/detail/parameters.hpp>
#include <coterie/detail/record.hpp>
#include <coterie/ext/codec.hpp>

namespace coterie {

/// A function together with its first arguments; made by `bind`. Calling it calls the function with
/// those arguments, as constants, and then the ones given.
template <class F, class... Bound>
class bound {
 public:
  bound() = default;
  bound(F callee, std::tuple<Bound...> first)
      : function_{std::move(callee)}, arguments_{std::move(first)} {}

  template <class... Rest>
    requires std::is_invocable_v<const F&, const Bound&..., Rest...>
  decltype(auto) operator()(Rest&&... rest) const {
    return std::apply(
        [&](const Bound&... first) -> decltype(auto) {
          return std::invoke(function_, first..., std::forward<Rest>(rest)...);
        },
        arguments_);
  }

  [[nodiscard]] const F& function() const noexcept { return function_; }
  [[nodiscard]] const std::tuple<Bound...>& arguments() const noexcept { return arguments_; }

 private:
  F function_{};
  std::tuple<Bound...> arguments_;
};

/// Makes a callable whose first arguments travel with it, as a capturing lambda cannot: a lambda's
/// captures have no names by which they could be encoded.
///
/// `f` is anything that could be a task by itself. The arguments are copied or moved in, must be
/// encodable, and reach `f` as constants. They are sent to each worker once for each call of the
/// pool, not once for each item.
///
/// Thread safety: none needed; it only makes a value.
///
/// Example:
/// @code
/// bool contains(const std::string& word, const std::filesystem::path& file);
/// auto hits = co_await pool.map(coterie::bind(contains, "needle"), files);
/// @endcode
template <class F, class... A>
[[nodiscard]] auto bind(F&& f, A&&... arguments) {
  static_assert(detail::check_callable<std::decay_t<F>>());
  return bound<std::decay_t<F>, travel_t<A>...>{
      std::forward<F>(f), std::tuple<travel_t<A>...>{detail::owned(std::forward<A>(arguments))...}};
}

}  // namespace coterie

namespace coterie::detail {

template <class F, class Skipped>
struct parameters_behind : parameters<void> {};
template <class F, std::size_t... I>
  requires(parameters<F>::known && std::tuple_size_v<parameters_t<F>> >= sizeof...(I))
struct parameters_behind<F, std::index_sequence<I...>> {
  template <std::size_t... J>
  static std::tuple<std::tuple_element_t<sizeof...(I) + J, parameters_t<F>>...> rest(
      std::index_sequence<J...>);
  using type =
      decltype(rest(std::make_index_sequence<std::tuple_size_v<parameters_t<F>> - sizeof...(I)>()));
  using returned = typename parameters<F>::returned;
  static constexpr bool known = true;
};
/// What is left for the items when some arguments are bound.
template <class F, class... Bound>
struct parameters<bound<F, Bound...>> : parameters_behind<F, std::index_sequence_for<Bound...>> {};

template <class F, class... Bound>
struct callable_traits<bound<F, Bound...>> {
  static consteval bool check() { return check_callable<F>() && (check_travels<Bound>() && ...); }
  // The length of the function's bytes, the function, padding, and then the arguments.
  static void encode(byte_buffer& out, const bound<F, Bound...>& value) {
    record_writer record{out};
    encode_callable(out, value.function());
    record.end();
    coterie::encode(out, value.arguments());
  }
  static bound<F, Bound...> decode(std::span<const std::byte> bytes) {
    const auto function = take_record(bytes);
    return {decode_callable<F>(function), coterie::decode<std::tuple<Bound...>>(bytes)};
  }
};

}  // namespace coterie::detail
