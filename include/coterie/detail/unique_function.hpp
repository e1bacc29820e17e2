// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace coterie::detail {

template <class Signature>
class unique_function;

/// A callable of any type that is called at most a few times and need not be copied.
/// (`std::move_only_function` is C++23.)
template <class R, class... A>
class unique_function<R(A...)> {
 public:
  unique_function() = default;

  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, unique_function> && std::invocable<F&, A...>)
  unique_function(F&& function)  // NOLINT: converts implicitly, as std::function does
      : callable_{std::make_unique<holder<std::decay_t<F>>>(std::forward<F>(function))} {}

  explicit operator bool() const noexcept { return callable_ != nullptr; }
  R operator()(A... arguments) { return callable_->call(std::forward<A>(arguments)...); }

 private:
  struct base {
    virtual ~base() = default;
    virtual R call(A... arguments) = 0;
  };
  template <class F>
  struct holder final : base {
    explicit holder(F&& given) : function{std::move(given)} {}
    explicit holder(const F& given) : function{given} {}
    R call(A... arguments) override { return function(std::forward<A>(arguments)...); }
    F function;
  };

  std::unique_ptr<base> callable_;
};

}  // namespace coterie::detail
