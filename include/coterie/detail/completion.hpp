// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/append.hpp>
#include <boost/asio/associated_executor.hpp>
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
  /// Keeps what the handler is to be called with.
  virtual void complete(std::exception_ptr problem, Values... values) = 0;
};

/// Adds a handler to those that are due.
template <class... Values>
void complete(std::unique_ptr<completion<Values...>> handler, deliveries& due,
              std::exception_ptr problem, std::type_identity_t<Values>... values) {
  handler->complete(std::move(problem), std::move(values)...);
  due.push_back(std::move(handler));
}

template <class Handler, class... Values>
class completion_of final : public completion<Values...> {
 public:
  template <class Given>
  completion_of(Given&& handler, const boost::asio::any_io_executor& executor, bool may_follow)
      : handler_(std::forward<Given>(handler)),
        executor_{tracked(boost::asio::get_associated_executor(handler_, executor))},
        may_follow_{may_follow} {}

  [[nodiscard]] bool may_follow() const noexcept override { return may_follow_; }

  void complete(std::exception_ptr problem, Values... values) override {
    values_.emplace(std::move(problem), std::move(values)...);
  }

  void deliver(std::unique_ptr<delivery> self, bool may_run_inside) override {
    if (!may_run_inside && may_follow_) {
      // Others may follow this one then.
      const auto on = executor_;
      return boost::asio::post(on, [self = std::move(self)]() mutable {
        deliveries due;
        due.push_back(std::move(self));
        deliver_all(std::move(due), true);
      });
    }
    // Memory is given back before the handler runs: it may start the next operation.
    Handler handler = std::move(handler_);
    auto values = std::move(*values_);
    const auto on = std::move(executor_);
    self.reset();

    auto call = [&]<class... All>(All&&... all) {
      // What `dispatch` would find out in the end.
      if (may_run_inside && runs_in(on)) {
        return std::move(handler)(std::forward<All>(all)...);
      }
      auto bound = boost::asio::append(std::move(handler), std::forward<All>(all)...);
      if (may_run_inside) {
        boost::asio::dispatch(on, std::move(bound));
      } else {
        boost::asio::post(on, std::move(bound));
      }
    };
    std::apply(call, std::move(values));
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

  Handler handler_;
  executor_type executor_;
  bool may_follow_;
  std::optional<std::tuple<std::exception_ptr, Values...>> values_;
};

/// Whether the token makes a coroutine wait.
template <class Token>
inline constexpr bool is_use_awaitable = false;
template <class Executor>
inline constexpr bool is_use_awaitable<boost::asio::use_awaitable_t<Executor>> = true;

/// `may_follow`: see `delivery`.
template <class... Values, class Handler>
std::unique_ptr<completion<Values...>> make_completion(Handler&& handler,
                                                       const boost::asio::any_io_executor& executor,
                                                       bool may_follow = false) {
  return std::make_unique<completion_of<std::decay_t<Handler>, Values...>>(
      std::forward<Handler>(handler), executor, may_follow);
}

}  // namespace coterie::detail
