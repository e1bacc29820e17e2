// SPDX-License-Identifier: BSL-1.0
#pragma once

// clang-format off: first of all
#include <coterie/detail/language.hpp>
// clang-format on

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

#include <coterie/detail/kept_value.hpp>

namespace coterie {

/// The type of those members of `pool_options` whose values own memory: a `T`, or no value. Made of
/// anything that converts to `T`; read with `value`.
///
/// Such a member may stand in an expression with `co_await`. There g++ 12 initialises a member of
/// an aggregate by copying the bytes of a temporary, and destroys both, in either order. A
/// `std::string` or a `std::vector` is freed twice by that. An `option` is not: it holds the number
/// under which the value is kept, and a number that has been given back once means nothing.
///
/// Copies share the value, which never changes.
///
/// Thread safety: as for an `int`; different options may be used by different threads.
///
/// Example, in an options struct: `option<std::filesystem::path> directory{};`
template <class T>
class option {
 public:
  /// No value.
  option() = default;

  /// Throws what making a `T` of `value` throws.
  template <class U>
    requires(!std::same_as<std::remove_cvref_t<U>, option> && std::convertible_to<U, T>)
  option(U&& value)  // NOLINT: converts implicitly, for designated initialisers
      : kept_{std::make_shared<const T>(std::forward<U>(value))} {}

  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(kept_); }

  /// The value, or `T{}` if there is none.
  ///
  /// Throws `std::invalid_argument` if the value is gone. That is so in one case: g++ 12 compiled
  /// the program, and the braces in which a *named* options struct was made hold a `co_await`. Name
  /// what is awaited first.
  [[nodiscard]] T value() const {
    return kept_ ? *std::static_pointer_cast<const T>(kept_.get()) : T{};
  }

 private:
  detail::kept_value kept_;
};

}  // namespace coterie
