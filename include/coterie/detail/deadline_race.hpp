// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <coterie/detail/cancellation.hpp>
#include <coterie/detail/completion.hpp>
#include <coterie/detail/deadline.hpp>
#include <coterie/error.hpp>

namespace coterie::detail {

/// An operation and a timer, of which the timer may cancel the operation. The outcome is always the
/// operation's: so no result is lost if both end together.
///
/// Everything happens on a strand of its own, since timer, operation and a cancellation from
/// outside may each be in another thread.
template <class T>
class deadline_race final : public std::enable_shared_from_this<deadline_race<T>> {
 public:
  using operation_type = boost::asio::awaitable<T>;
  using cancellation = boost::asio::cancellation_type;

  /// `when_late` is how the operation is cancelled at `deadline`.
  /// `place` is that of the value.
  template <class Handler>
  static void start(Handler&& handler, void* place, operation_type operation,
                    std::chrono::steady_clock::time_point deadline, cancellation when_late) {
    const auto race = std::make_shared<deadline_race>(
        boost::asio::make_strand(
            boost::asio::any_io_executor{boost::asio::get_associated_executor(handler)}),
        deadline);
    race->forward_cancellation(boost::asio::get_associated_cancellation_slot(handler));
    race->to_ = make_completion<void>(std::forward<Handler>(handler), race->strand_, place);
    race->begin(std::move(operation), when_late);
  }

  deadline_race(boost::asio::strand<boost::asio::any_io_executor> strand,
                std::chrono::steady_clock::time_point deadline)
      : strand_{std::move(strand)}, timer_{strand_, deadline} {}

 private:
  template <class Slot>
  void forward_cancellation(Slot slot) {
    if (!slot.is_connected()) return;
    slot.assign([weak = this->weak_from_this()](cancellation type) {
      const auto self = weak.lock();
      if (!self) return;
      boost::asio::dispatch(self->strand_, [self, type] { self->cancel(type); });
    });
  }

  void begin(operation_type operation, cancellation when_late) {
    const auto self = this->shared_from_this();
    boost::asio::dispatch(strand_, [self, when_late, operation = std::move(operation)]() mutable {
      self->timer_.async_wait([self, when_late](boost::system::error_code stopped) {
        if (stopped || self->ended_) return;
        self->late_ = true;
        self->cancel(when_late);
      });
      boost::asio::co_spawn(
          self->strand_, run(self, std::move(operation)),
          boost::asio::bind_cancellation_slot(
              self->signal_.slot(),
              boost::asio::bind_executor(self->strand_,
                                         [self](const std::exception_ptr&) { self->end(); })));
    });
  }

  static boost::asio::awaitable<void> run(std::shared_ptr<deadline_race> self,
                                          operation_type operation) {
    // A coroutine that was spawned hears of terminal cancellations only, unless it says otherwise.
    co_await boost::asio::this_coro::reset_cancellation_state(
        boost::asio::enable_total_cancellation());
    try {
      // One that came before.
      if (self->cancelled_) std::rethrow_exception(operation_aborted());
      if constexpr (std::is_void_v<T>) {
        co_await std::move(operation);
      } else {
        self->value_.emplace(co_await std::move(operation));
      }
    } catch (...) {
      self->error_ = std::current_exception();
    }
  }

  void cancel(cancellation type) {
    if (ended_) return;
    cancelled_ = true;
    signal_.emit(type);
  }

  void end() {
    ended_ = true;
    timer_.cancel();
    if (late_ && is_aborted(error_)) error_ = std::make_exception_ptr(timeout_error{});
    if (!error_) keep<T>(*to_, std::move(*value_));
    deliveries due;
    complete(std::move(to_), due, std::move(error_));
    deliver_all(std::move(due), true);
  }

  static bool is_aborted(const std::exception_ptr& error) {
    if (!error) return false;
    try {
      std::rethrow_exception(error);
    } catch (const boost::system::system_error& known) {
      return known.code() == boost::asio::error::operation_aborted;
    } catch (...) {
      return false;
    }
  }

  boost::asio::strand<boost::asio::any_io_executor> strand_;
  boost::asio::steady_timer timer_;
  boost::asio::cancellation_signal signal_;
  std::unique_ptr<delivery> to_;
  std::optional<held_t<T>> value_;
  std::exception_ptr error_;
  bool cancelled_ = false;
  bool late_ = false;
  bool ended_ = false;
};

/// An operation with a deadline, not begun: `limit` from its beginning.
template <class T, class Duration>
struct limited_operation {
  boost::asio::awaitable<T> operation;
  Duration limit;
  boost::asio::cancellation_type when_late;

  template <class Handler>
  void begin_at(void* place, Handler&& handler) {
    deadline_race<T>::start(std::forward<Handler>(handler), place, std::move(operation),
                            deadline_after(std::chrono::steady_clock::now(), limit), when_late);
  }
};

}  // namespace coterie::detail
