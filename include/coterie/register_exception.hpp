// SPDX-License-Identifier: BSL-1.0
#pragma once

// clang-format off: first of all
#include <coterie/detail/language.hpp>
// clang-format on

#include <concepts>
#include <cstddef>
#include <exception>
#include <span>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include <coterie/detail/byte_buffer.hpp>
#include <coterie/detail/exception_registry.hpp>
#include <coterie/detail/remote_exception.hpp>
#include <coterie/ext/codec.hpp>

namespace coterie {
namespace detail {

template <class E>
concept text_exception =
    std::constructible_from<E, const std::string&> || std::constructible_from<E, const char*>;

template <class E>
void encode_registered(const std::exception& thrown, byte_buffer& fields) {
  if constexpr (encodable<E>) coterie::encode(fields, dynamic_cast<const E&>(thrown));
}

template <class E>
std::exception_ptr make_registered(std::span<const std::byte> fields, exception_origin&& origin) {
  if constexpr (encodable<E>) {
    return make_remote<E>(std::move(origin), coterie::decode<E>(fields));
  } else if constexpr (std::constructible_from<E, const std::string&>) {
    const std::string text = origin.text;
    return make_remote<E>(std::move(origin), text);
  } else {
    const std::string text = origin.text;
    return make_remote<E>(std::move(origin), text.c_str());
  }
}

}  // namespace detail

/// Lets exceptions of exactly the type `E` arrive as themselves when a task throws them, instead of
/// as `remote_error`. What arrives is caught as `E`, is a `remote_info` too, and its `what()` is
/// that of the original. An `E` that is final arrives as a plain `E`.
///
/// `E` derives from `std::exception`, its `what()` is not final, and it can be made again from
/// - its fields, if it has a cereal `serialize` function and a default constructor; or else
/// - its text, if it has a constructor from `std::string` or `const char*`: that is given `what()`.
///
/// Parent and workers run the same program, so one call serves both. Call it before the first task:
/// at namespace scope as below, or in `main` before `coterie::init`. A second call for the same
/// type changes nothing, and neither does one for a standard exception: they need none.
///
/// Returns: true, always.
/// Errors: `std::bad_alloc` only. A throwing `serialize` does not fail the registration: the
/// exception then arrives as `remote_error`.
/// Thread safety: may be called at any time from any thread.
///
/// Example:
/// @code
/// struct bad_record : std::runtime_error {
///   using std::runtime_error::runtime_error;
/// };
/// inline const bool registered = coterie::register_exception<bad_record>();
/// @endcode
template <class E>
bool register_exception() {
  static_assert(std::derived_from<E, std::exception>,
                "coterie::register_exception: the type must derive from std::exception");
  if constexpr (std::derived_from<E, std::exception>) {
    constexpr bool can_be_made_again = encodable<E> || detail::text_exception<E>;
    static_assert(
        can_be_made_again,
        "coterie::register_exception: the type has neither a cereal serialize function nor "
        "a constructor from std::string: add one, so that it can be made again in the "
        "process that receives it");
    if constexpr (can_be_made_again) {
      return detail::add_exception(
          {&typeid(E), &detail::encode_registered<E>, &detail::make_registered<E>});
    }
  }
  return true;
}

}  // namespace coterie
