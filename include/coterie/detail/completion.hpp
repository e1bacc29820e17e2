// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <coterie/detail/delivery.hpp>

namespace coterie::detail {

/// A completion handler of signature `void(std::exception_ptr, Values...)` with its type erased,
/// waiting for its values. Destroying it drops the handler uncalled. Its executor is kept from
/// running out of work as long as it lives.
/// (`asio::any_completion_handler` is not in Boost 1.81.)
template <class... Values>
class completion : public delivery {
 public:
  /// Keeps what the handler is to be called with. Throws what moving it throws; then there is a `fail`.
  virtual void complete(Values&&... values) = 0;
  /// The handler is to be called with `problem`, and values made by default.
  virtual void fail(std::exception_ptr problem) noexcept = 0;
};

/// Adds a handler that fails to those that are due.
template <class... Values>
void fail(std::unique_ptr<completion<Values...>> handler, deliveries& due,
          std::exception_ptr problem) {
  handler->fail(std::move(problem));
  due.push_back(std::move(handler));
}

/// `given` as a `To` that may be moved from.
template <class To, class From>
decltype(auto) as_rvalue(From&& given) {
  if constexpr (std::is_same_v<From, To>) {
    return std::forward<From>(given);
  } else {
    return To(std::forward<From>(given));
  }
}

/// Adds a handler to those that are due, with `problem` or, if there is none, with values. It fails if
/// making a value throws.
template <class... Values, class... Given>
  requires(sizeof...(Values) == sizeof...(Given))
void complete(std::unique_ptr<completion<Values...>> handler, deliveries& due,
              std::exception_ptr problem, Given&&... given) {
  if (!problem) {
    try {
      handler->complete(as_rvalue<Values>(std::forward<Given>(given))...);
    } catch (...) {
      problem = std::current_exception();
    }
  }
  if (problem) handler->fail(std::move(problem));
  due.push_back(std::move(handler));
}

/// Stands in for a value where a handler is called with a problem, and looks at nothing else.
template <class T>
struct absent_value {
  operator T() const { return T{}; }  // NOLINT: converts implicitly
};

/// Stands in for a value that is moved to where it is wanted, and tells whether that threw.
template <class T>
struct value_on_its_way {
  T& value;
  bool& threw;

  operator T() const {  // NOLINT: converts implicitly
    threw = true;
    T moved = std::move(value);
    threw = false;
    return moved;
  }
};

/// `awaits`: the handler is that of a coroutine, which looks at the values only if there is no problem.
template <class Handler, bool awaits, class... Values>
class completion_of final : public completion<Values...> {
 public:
  /// Throws what the default constructors of the values throw, unless the handler is a coroutine's.
  template <class Given>
  completion_of(Given&& handler, const boost::asio::any_io_executor& executor, bool may_follow)
      : handler_(std::forward<Given>(handler)),
        executor_{tracked(boost::asio::get_associated_executor(handler_, executor))},
        may_follow_{may_follow} {}

  [[nodiscard]] bool may_follow() const noexcept override { return may_follow_; }

  void complete(Values&&... values) override { values_.emplace(std::move(values)...); }
  void fail(std::exception_ptr problem) noexcept override { problem_ = std::move(problem); }

  void deliver(std::unique_ptr<delivery> self, bool may_run_inside) override {
    // What `dispatch` would find out in the end.
    if (may_run_inside && runs_in(executor_)) return call(std::move(self));
    const auto on = executor_;
    auto later =
        boost::asio::bind_allocator(boost::asio::get_associated_allocator(handler_),
                                    [this, self = std::move(self), may_run_inside]() mutable {
                                      if (may_run_inside || !may_follow_)
                                        return call(std::move(self));
                                      // Others may follow this one then.
                                      deliveries due;
                                      due.push_back(std::move(self));
                                      deliver_all(std::move(due), true);
                                    });
    if (may_run_inside) {
      boost::asio::dispatch(on, std::move(later));
    } else {
      boost::asio::post(on, std::move(later));
    }
  }

 private:
  // Counts as work until the handler has run: an event loop must not stop while it waits.
  template <class Executor>
  static auto tracked(const Executor& executor) {
    return boost::asio::prefer(executor, boost::asio::execution::outstanding_work_t::tracked);
  }
  using executor_type = decltype(tracked(
      std::declval<
          const boost::asio::associated_executor_t<Handler, boost::asio::any_io_executor>&>()));

  // Whether this thread runs the event loop that the executor stands for, if it is one.
  static bool runs_in(const executor_type& executor) {
    using loop = decltype(tracked(std::declval<boost::asio::io_context::executor_type>()));
    if constexpr (std::is_same_v<executor_type, boost::asio::any_io_executor>) {
      const loop* const found = executor.template target<loop>();
      return found != nullptr && found->running_in_this_thread();
    } else if constexpr (std::is_same_v<executor_type, loop>) {
      return executor.running_in_this_thread();
    } else {
      return false;
    }
  }

  using values_type = std::tuple<Values...>;
  static constexpr bool has_safe_moves = (std::is_nothrow_move_constructible_v<Values> && ...);
  static constexpr bool has_safe_defaults =
      (std::is_nothrow_default_constructible_v<Values> && ...);
  // Where a value made by default might throw, one is made in time: when the call can still be refused.
  static constexpr bool keeps_spare = !has_safe_defaults && !awaits;
  struct nothing {};
  using spare_type = std::conditional_t<keeps_spare, std::unique_ptr<values_type>, nothing>;
  static spare_type make_spare() {
    if constexpr (keeps_spare) {
      return std::make_unique<values_type>();
    } else {
      return {};
    }
  }

  // Here, in the executor.
  void call(std::unique_ptr<delivery> self) {
    std::exception_ptr problem = std::move(problem_);
    std::optional<values_type> values;
    if (!problem) {
      try {
        values.emplace(std::move(*values_));
      } catch (...) {
        problem = std::current_exception();
      }
    }
    // Memory is given back before the handler runs: it may start the next operation.
    Handler handler = std::move(handler_);
    [[maybe_unused]] const auto spare = std::move(spare_);
    const auto on = std::move(executor_);
    self.reset();

    const auto with = [&](values_type& all) {
      std::apply(
          [&](Values&... each) { std::move(handler)(std::move(problem), std::move(each)...); },
          all);
    };
    if (values) {
      if constexpr (awaits && !has_safe_moves) return resume(handler, *values);
      with(*values);
    } else if constexpr (keeps_spare) {
      with(*spare);
    } else if constexpr (has_safe_defaults) {
      std::move(handler)(std::move(problem), Values{}...);
    } else {
      std::move(handler)(std::move(problem), absent_value<Values>{}...);
    }
  }

  // A coroutine takes the values before it goes on. If it cannot, it goes on with the reason.
  static void resume(Handler& handler, values_type& values) {
    bool threw = false;
    try {
      std::apply(
          [&](Values&... each) {
            handler(std::exception_ptr{}, value_on_its_way<Values>{each, threw}...);
          },
          values);
    } catch (...) {
      if (!threw) throw;
      handler(std::current_exception(), absent_value<Values>{}...);
    }
  }

  Handler handler_;
  executor_type executor_;
  bool may_follow_;
  std::exception_ptr problem_;
  std::optional<values_type> values_;
  [[no_unique_address]] spare_type spare_ = make_spare();
};

/// Whether the token makes a coroutine wait.
template <class Token>
inline constexpr bool is_use_awaitable = false;
template <class Executor>
inline constexpr bool is_use_awaitable<boost::asio::use_awaitable_t<Executor>> = true;

/// `Token` is what the caller of the operation gave. `may_follow`: see `delivery`.
template <class Token, class... Values, class Handler>
std::unique_ptr<completion<Values...>> make_completion(Handler&& handler,
                                                       const boost::asio::any_io_executor& executor,
                                                       bool may_follow = false) {
  constexpr bool awaits = is_use_awaitable<std::decay_t<Token>>;
  return std::make_unique<completion_of<std::decay_t<Handler>, awaits, Values...>>(
      std::forward<Handler>(handler), executor, may_follow);
}

}  // namespace coterie::detail
