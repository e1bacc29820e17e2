// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include <coterie/detail/byte_buffer.hpp>
#include <coterie/detail/callable.hpp>
#include <coterie/detail/task.hpp>
#include <coterie/detail/worker_function.hpp>

namespace coterie::detail {

/// Runs a function without arguments, for its effect.
template <class F>
class effect_task final : public task {
 public:
  explicit effect_task(F&& function) : function_{std::move(function)} {}

  void run(std::span<const std::byte>, std::size_t, std::size_t, result_sink& sink) override {
    try {
      static_cast<void>(std::invoke(function_));
    } catch (...) {
      return sink.failed();
    }
    sink.succeeded(1);
  }

 private:
  F function_;
};

template <class F>
std::unique_ptr<task> make_effect_task(std::span<const std::byte> callable) {
  return std::make_unique<effect_task<F>>(decode_callable<F>(callable));
}

template <class F>
struct include_coterie_pool_hpp_to_make_a_worker_task {
  static worker_function of(F function) {
    static_assert(check_callable<F>());
    static_assert(std::is_invocable_v<F&>,
                  "coterie: an initializer or finalizer is called without arguments; use "
                  "coterie::bind(function, arguments...)");
    if constexpr (std::is_invocable_v<F&>) {
      byte_buffer bytes;
      encode_callable(bytes, function);
      const auto view = bytes.view();
      return {locate(&make_effect_task<F>), {view.begin(), view.end()}};
    } else {
      return {};
    }
  }
};

}  // namespace coterie::detail
