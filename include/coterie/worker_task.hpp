// SPDX-License-Identifier: BSL-1.0
#pragma once

// clang-format off: first of all
#include <coterie/detail/language.hpp>
// clang-format on

#include <type_traits>
#include <utility>

#include <coterie/detail/worker_function.hpp>
#include <coterie/option.hpp>

namespace coterie {

/// A function without arguments for `pool_options::initializer` and `finalizer`: made of any
/// callable that could be a task and is called with nothing. What it returns is ignored.
///
/// A file that makes one of a function includes `coterie/pool.hpp` or `coterie/bind.hpp`: the
/// encoding of functions is there, so that options alone stay a small header.
///
/// Example: `{.initializer = coterie::bind(open_database, path)}`
class worker_task {
 public:
  /// No function.
  worker_task() = default;

  /// Throws what encoding the bound arguments throws, and `error` (`errc::unknown_function`).
  template <class F>
    requires(!std::is_same_v<std::decay_t<F>, worker_task>)
  worker_task(F&& f)  // NOLINT: converts implicitly, for designated initialisers
      : function_{detail::include_coterie_pool_hpp_to_make_a_worker_task<std::decay_t<F>>::of(
            std::forward<F>(f))} {}

  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(function_); }

  /// As it travels. For extensions of coterie. Throws as `option::value` does.
  [[nodiscard]] detail::worker_function function() const { return function_.value(); }

 private:
  option<detail::worker_function> function_;
};

}  // namespace coterie
