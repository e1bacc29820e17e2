// SPDX-License-Identifier: BSL-1.0
#include <coterie/detail/delivery.hpp>

#include <cstddef>
#include <exception>
#include <utility>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>

namespace coterie::detail {

namespace {

// Whether this thread runs the event loop that the executor stands for, if it is one.
bool runs_in(const boost::asio::any_io_executor& executor) {
  using loop = decltype(boost::asio::prefer(std::declval<boost::asio::io_context::executor_type>(),
                                            boost::asio::execution::outstanding_work_t::tracked));
  const loop* const found = executor.target<loop>();
  return found != nullptr && found->running_in_this_thread();
}

}  // namespace

boost::asio::any_io_executor tracked(const boost::asio::any_io_executor& executor) {
  return boost::asio::prefer(executor, boost::asio::execution::outstanding_work_t::tracked);
}

void deliver_on(const boost::asio::any_io_executor& executor, std::unique_ptr<delivery> operation,
                bool may_run_inside) {
  // What `dispatch` would find out in the end.
  if (may_run_inside && runs_in(executor)) return delivery::call_now(std::move(operation));
  const auto on = executor;  // NOLINT: `executor` is in `operation`, which moves
  auto later = [operation = std::move(operation)]() mutable {
    delivery::call_now(std::move(operation));
  };
  if (may_run_inside) {
    boost::asio::dispatch(on, std::move(later));
  } else {
    boost::asio::post(on, std::move(later));
  }
}

void deliver_all(deliveries due, bool on_event_loop) {
  std::exception_ptr error;
  for (auto& each : due) {
    delivery& it = *each;
    try {
      it.deliver(std::move(each), on_event_loop && !error);
    } catch (...) {
      // That one handler throws does not keep the next from being delivered.
      if (!error) error = std::current_exception();
    }
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace coterie::detail
