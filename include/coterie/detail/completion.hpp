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
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>

#include <coterie/detail/job.hpp>

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
  completion_of(Given&& handler, const boost::asio::any_io_executor& executor)
      : handler_(std::forward<Given>(handler)),
        executor_{tracked(boost::asio::get_associated_executor(handler_, executor))} {}

  void complete(std::exception_ptr problem, Values... values) override {
    values_.emplace(std::move(problem), std::move(values)...);
  }

  void deliver(std::unique_ptr<delivery> self, bool may_run_inside) override {
    // Memory is given back before the handler runs: it may start the next operation.
    Handler handler = std::move(handler_);
    auto values = std::move(*values_);
    const auto on = std::move(executor_);
    self.reset();

    auto call = [&]<class... All>(All&&... all) {
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

  Handler handler_;
  executor_type executor_;
  std::optional<std::tuple<std::exception_ptr, Values...>> values_;
};

template <class... Values, class Handler>
std::unique_ptr<completion<Values...>> make_completion(
    Handler&& handler, const boost::asio::any_io_executor& executor) {
  return std::make_unique<completion_of<std::decay_t<Handler>, Values...>>(
      std::forward<Handler>(handler), executor);
}

}  // namespace coterie::detail
