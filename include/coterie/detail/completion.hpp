// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>

#include <coterie/detail/delivery.hpp>

namespace coterie::detail {

/// `T`, or something to hold in its place where nothing is returned.
template <class T>
using held_t = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

/// What an operation completes with.
template <class T>
struct completion_signature {
  using type = void(std::exception_ptr, T);
};
template <>
struct completion_signature<void> {
  using type = void(std::exception_ptr);
};
template <class T>
using completion_signature_t = typename completion_signature<T>::type;

/// Keeps the value of an operation that completes with a `T`, until its handler is called. What
/// making the value throws is then its outcome.
template <class T, class Given>
void keep(delivery& operation, Given&& given) {
  if constexpr (!std::is_void_v<T>) {
    auto& place = *static_cast<std::optional<T>*>(operation.place());
    if constexpr (std::is_nothrow_constructible_v<T, Given>) {
      place.emplace(std::forward<Given>(given));
    } else {
      try {
        place.emplace(std::forward<Given>(given));
      } catch (...) {
        operation.fail(std::current_exception());
      }
    }
  }
}

/// A completion handler of signature `void(std::exception_ptr, T)` with its type erased, and the
/// place of its value. Its executor is kept from running out of work as long as it lives.
/// (`asio::any_completion_handler` is not in Boost 1.81.)
template <class T = void>
class completion : public delivery {
 public:
  completion() noexcept : delivery{&value_} {}

 protected:
  std::optional<T> value_;
};

/// One of signature `void(std::exception_ptr)`. What waits for it may have a place for a value.
template <>
class completion<void> : public delivery {
 public:
  explicit completion(void* place = nullptr) noexcept : delivery{place} {}
};

/// Where a handler runs, and how that is told to Asio: for executors and allocators of every type.
template <class Handler>
struct handler_place {
  // Counts as work until the handler has run: an event loop must not stop while it waits.
  static auto executor_of(const Handler& handler, const boost::asio::any_io_executor& otherwise) {
    return boost::asio::prefer(boost::asio::get_associated_executor(handler, otherwise),
                               boost::asio::execution::outstanding_work_t::tracked);
  }

  template <class Executor>
  static void deliver(const Handler& handler, const Executor& executor,
                      std::unique_ptr<delivery> operation, bool may_run_inside) {
    // What `dispatch` would find out in the end.
    if (may_run_inside && runs_in(executor)) return delivery::call_now(std::move(operation));
    const Executor on = executor;  // `executor` is in `operation`
    auto later = boost::asio::bind_allocator(
        boost::asio::get_associated_allocator(handler),
        [operation = std::move(operation)]() mutable { delivery::call_now(std::move(operation)); });
    if (may_run_inside) {
      boost::asio::dispatch(on, std::move(later));
    } else {
      boost::asio::post(on, std::move(later));
    }
  }

 private:
  // Whether this thread runs the event loop that the executor stands for, if it is one.
  template <class Executor>
  static bool runs_in(const Executor& executor) {
    using loop =
        decltype(boost::asio::prefer(std::declval<boost::asio::io_context::executor_type>(),
                                     boost::asio::execution::outstanding_work_t::tracked));
    if constexpr (std::is_same_v<Executor, loop>) {
      return executor.running_in_this_thread();
    } else {
      return false;
    }
  }
};

/// The same for those that nearly all handlers have.
template <class Handler>
  requires(std::is_same_v<boost::asio::associated_executor_t<Handler, boost::asio::any_io_executor>,
                          boost::asio::any_io_executor> &&
           std::is_same_v<boost::asio::associated_allocator_t<Handler>, std::allocator<void>>)
struct handler_place<Handler> {
  static boost::asio::any_io_executor executor_of(const Handler& handler,
                                                  const boost::asio::any_io_executor& otherwise) {
    return tracked(boost::asio::get_associated_executor(handler, otherwise));
  }
  static void deliver(const Handler&, const boost::asio::any_io_executor& executor,
                      std::unique_ptr<delivery> operation, bool may_run_inside) {
    deliver_on(executor, std::move(operation), may_run_inside);
  }
};

template <class Handler, class T>
class completion_of final : public completion<T> {
 public:
  /// Throws what the default constructor of the value throws. `what`: of the base.
  template <class Given, class... What>
  completion_of(Given&& handler, const boost::asio::any_io_executor& executor, What... what)
      : completion<T>{what...},
        handler_(std::forward<Given>(handler)),
        executor_{place::executor_of(handler_, executor)} {}

  void deliver(std::unique_ptr<delivery> self, bool may_run_inside) override {
    place::deliver(handler_, executor_, std::move(self), may_run_inside);
  }

  void call(std::unique_ptr<delivery> self) override {
    // Memory is given back before the handler runs: it may start the next operation.
    Handler handler = std::move(handler_);
    const auto on = std::move(executor_);
    std::exception_ptr error = std::move(this->error_);
    if constexpr (std::is_void_v<T>) {
      self.reset();
      std::move(handler)(std::move(error));
    } else if constexpr (has_safe_moves && has_safe_defaults) {
      T value = this->value_ ? std::move(*this->value_) : T{};
      self.reset();
      std::move(handler)(std::move(error), std::move(value));
    } else {
      call_with_care(handler, std::move(error), std::move(self));
    }
  }

 private:
  using place = handler_place<Handler>;
  using executor_type = decltype(place::executor_of(
      std::declval<const Handler&>(), std::declval<const boost::asio::any_io_executor&>()));
  using value_type = held_t<T>;

  static constexpr bool has_safe_moves = std::is_nothrow_move_constructible_v<value_type>;
  static constexpr bool has_safe_defaults = std::is_nothrow_default_constructible_v<value_type>;
  // Where a value made by default might throw, one is made in time: when the call can still be
  // refused.
  struct nothing {};
  using spare_type = std::conditional_t<has_safe_defaults, nothing, std::unique_ptr<value_type>>;
  static spare_type make_spare() {
    if constexpr (has_safe_defaults) {
      return {};
    } else {
      return std::make_unique<value_type>();
    }
  }

  // For values whose move or default constructor may throw.
  void call_with_care(Handler& handler, std::exception_ptr error, std::unique_ptr<delivery> self) {
    std::optional<value_type> value;
    if (!error) {
      try {
        value.emplace(std::move(*this->value_));
      } catch (...) {
        error = std::current_exception();
      }
    }
    [[maybe_unused]] const auto spare = std::move(spare_);
    self.reset();
    if (value) {
      std::move(handler)(std::move(error), std::move(*value));
    } else if constexpr (has_safe_defaults) {
      std::move(handler)(std::move(error), T{});
    } else {
      std::move(handler)(std::move(error), std::move(*spare));
    }
  }

  Handler handler_;
  executor_type executor_;
  [[no_unique_address]] spare_type spare_ = make_spare();
};

/// `what`: see `completion`.
template <class T, class Handler, class... What>
std::unique_ptr<completion<T>> make_completion(Handler&& handler,
                                               const boost::asio::any_io_executor& executor,
                                               What... what) {
  return std::make_unique<completion_of<std::decay_t<Handler>, T>>(std::forward<Handler>(handler),
                                                                   executor, what...);
}

}  // namespace coterie::detail
