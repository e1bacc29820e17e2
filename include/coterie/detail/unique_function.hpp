// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace coterie::detail {

template <class Signature>
class unique_function;

/// A callable of any type that is called at most a few times and need not be copied. Small ones
/// take no memory of their own. (`std::move_only_function` is C++23.)
template <class R, class... A>
class unique_function<R(A...)> {
 public:
  unique_function() = default;

  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, unique_function> && std::invocable<F&, A...>)
  unique_function(F&& function) {  // NOLINT: converts implicitly, as std::function does
    using stored = std::decay_t<F>;
    if constexpr (fits<stored>) {
      std::construct_at(reinterpret_cast<stored*>(place_), std::forward<F>(function));
    } else {
      std::construct_at(reinterpret_cast<stored**>(place_), new stored(std::forward<F>(function)));
    }
    does_ = &operations_of<stored>;
  }

  unique_function(unique_function&& other) noexcept : does_{std::exchange(other.does_, nullptr)} {
    if (does_ != nullptr) does_->move(other.place_, place_);
  }
  unique_function& operator=(unique_function&& other) noexcept {
    if (this == &other) return *this;
    // What it holds may be what keeps this object alive: it is destroyed last.
    const unique_function former{std::move(*this)};
    does_ = std::exchange(other.does_, nullptr);
    if (does_ != nullptr) does_->move(other.place_, place_);
    return *this;
  }
  ~unique_function() {
    if (does_ != nullptr) does_->destroy(place_);
  }

  explicit operator bool() const noexcept { return does_ != nullptr; }
  R operator()(A... arguments) { return does_->call(place_, std::forward<A>(arguments)...); }

 private:
  // A shared pointer, another, and two words.
  static constexpr std::size_t room = 6 * sizeof(void*);

  struct operations {
    R (*call)(void* place, A... arguments);
    void (*move)(void* from, void* to) noexcept;  // and destroys what it has left behind
    void (*destroy)(void* place) noexcept;
  };

  template <class F>
  static constexpr bool fits =
      sizeof(F) <= room && alignof(F) <= alignof(void*) && std::is_nothrow_move_constructible_v<F>;

  template <class F>
  static F& at(void* place) noexcept {
    if constexpr (fits<F>) {
      return *static_cast<F*>(place);
    } else {
      return **static_cast<F**>(place);
    }
  }

  template <class F>
  static constexpr operations operations_of{
      [](void* place, A... arguments) -> R {
        return static_cast<R>(at<F>(place)(std::forward<A>(arguments)...));
      },
      [](void* from, void* to) noexcept {
        if constexpr (fits<F>) {
          std::construct_at(static_cast<F*>(to), std::move(at<F>(from)));
          std::destroy_at(&at<F>(from));
        } else {
          std::construct_at(static_cast<F**>(to), &at<F>(from));
        }
      },
      [](void* place) noexcept {
        if constexpr (fits<F>) {
          std::destroy_at(&at<F>(place));
        } else {
          delete &at<F>(place);
        }
      }};

  alignas(void*) std::byte place_[room];
  const operations* does_ = nullptr;
};

}  // namespace coterie::detail
