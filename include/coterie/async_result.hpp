// SPDX-License-Identifier: BSL-1.0
#pragma once

// clang-format off: first of all
#include <coterie/detail/language.hpp>
// clang-format on

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <coterie/detail/deadline.hpp>
#include <coterie/detail/waiting.hpp>
#include <coterie/error.hpp>

namespace coterie {

/// A call that has been started and can be looked at: what `pool::apply_async` and its kin return.
/// Copies are handles to the same call. Dropping all of them does not stop it. It may outlive its
/// pool. When its event loop is gone, only `ready`, `successful`, `remaining` and `total` may be
/// called. In a process that was forked from the pool's, these tell what was so at the fork, and
/// all other functions throw `error` (`errc::forked`).
///
/// `R` is what the call completes with: a value, a `std::vector`, or `void`. What waits (`wait`,
/// `get`, callbacks) runs on the event loop: a thread that blocks instead of running the loop waits
/// for ever.
///
/// Thread safety: all functions may be called from any thread.
///
/// Example:
/// @code
/// auto pending = pool.apply_async(slow, 7);
/// if (!co_await pending.wait(200ms)) log("still busy");
/// int value = co_await pending.get(5s);
/// @endcode
template <class R>
class async_result {
 public:
  /// Whether the outcome is there: a value or an exception.
  [[nodiscard]] bool ready() const noexcept { return state_->ready(); }

  /// Whether the call ended with a value. Throws `error` (`errc::not_ready`) while it is not
  /// `ready`.
  [[nodiscard]] bool successful() const {
    const auto now = state_->now.load();
    if (now == detail::outcome::status::pending) throw error{errc::not_ready};
    return now == detail::outcome::status::value;
  }

  /// Items that are not finished yet, as far as workers have told. 0 when the call is `ready`.
  /// While the input's length is not known (a range that must be read to be counted), this cannot
  /// be told, and is 0 as well.
  [[nodiscard]] std::size_t remaining() const noexcept {
    const std::size_t all = state_->total.load();
    const std::size_t finished = state_->finished.load();
    return ready() || finished > all ? 0 : all - finished;
  }

  /// Items in all: 1 for `apply_async`; 0 while the input's length is not known.
  [[nodiscard]] std::size_t total() const noexcept { return state_->total.load(); }

  /// Waits until the outcome is there.
  ///
  /// Completion signature: `void(std::exception_ptr, bool)`, always with `true`.
  /// Cancellation (any type) ends the wait with `operation_aborted`, not the call.
  template <class Token = boost::asio::use_awaitable_t<>>
  auto wait(Token&& token = Token{}) const {
    return start_wait(std::nullopt, token);
  }

  /// Waits until the outcome is there, but no longer than `limit`.
  ///
  /// Completion signature: `void(std::exception_ptr, bool)`; `false` if it is not there in time.
  /// The call goes on. A `limit` of zero or less only looks.
  /// Cancellation (any type) ends the wait with `operation_aborted`, not the call.
  template <class Rep, class Period, class Token = boost::asio::use_awaitable_t<>>
  auto wait(std::chrono::duration<Rep, Period> limit, Token&& token = Token{}) const {
    return start_wait(detail::deadline_after(std::chrono::steady_clock::now(), limit), token);
  }

  /// Waits for the value. It is copied, so that it can be had again; a value that cannot be copied
  /// is moved out.
  ///
  /// Completion signature: `void(std::exception_ptr, R)`, or `void(std::exception_ptr)` for `void`.
  /// Errors: what the call failed with; `error` (`errc::result_taken`) for a value that was moved
  /// out before.
  /// Cancellation (any type) ends the wait with `operation_aborted`, not the call.
  template <class Token = boost::asio::use_awaitable_t<>>
  auto get(Token&& token = Token{}) const {
    return start_get(std::nullopt, token);
  }

  /// Waits for the value, but no longer than `limit`; then fails with `timeout_error`, and the call
  /// goes on: wait again, or `cancel` it. Otherwise like `get()`.
  template <class Rep, class Period, class Token = boost::asio::use_awaitable_t<>>
  auto get(std::chrono::duration<Rep, Period> limit, Token&& token = Token{}) const {
    return start_get(detail::deadline_after(std::chrono::steady_clock::now(), limit), token);
  }

  /// Ends the call with `operation_aborted`, unless it is `ready`: what has not begun never runs,
  /// and workers that run an item of it are killed and replaced. When this returns, a borrowed
  /// range is read no more; that may mean to wait for another thread that is inside it.
  void cancel() const {
    core_->home.require();
    core_->cancel_and_wait(id_, detail::operation_aborted(), true);
  }

  /// Calls `f(value)` (`f()` for `void`) once, when the call ends with a value: on `f`'s associated
  /// executor, or the pool's. If it has ended already, soon. Several may be added; each gets a
  /// copy. What `f` throws, or the copying of the value, leaves the event loop's `run`. Returns
  /// `*this`, so that calls can be chained.
  template <class F>
  const async_result& callback(F f) const {
    static_assert(
        std::is_void_v<R> || std::is_copy_constructible_v<detail::held_t<R>>,
        "coterie: a callback gets a copy of the value, and this one cannot be copied; use "
        "get() instead");
    return call_back<R>(f, &detail::end_callback<R>,
                        [f = std::move(f)](std::exception_ptr error, auto&&... value) mutable {
                          if (error) std::rethrow_exception(error);
                          f(std::forward<decltype(value)>(value)...);
                        });
  }

  /// Calls `f(std::exception_ptr)` once, when the call ends with an exception: a task's, or that of
  /// `cancel` or of the pool's end. Otherwise like `callback`; of the two, one is called.
  template <class F>
  const async_result& error_callback(F f) const {
    return call_back<void>(
        f, &detail::end_error_callback,
        [f = std::move(f)](std::exception_ptr error) mutable { f(std::move(error)); });
  }

  /// For extensions of coterie; made by `pool`.
  async_result(std::shared_ptr<detail::pool_core> core, detail::counted_ptr<detail::outcome> state,
               detail::job_id id)
      : core_{std::move(core)}, state_{std::move(state)}, id_{id} {}

 private:
  using time_limit = detail::wait_operation::time_limit;

  template <class Token>
  auto start_wait(time_limit limit, Token& token) const {
    return start<bool>(&detail::end_look, limit, token);
  }
  template <class Token>
  auto start_get(time_limit limit, Token& token) const {
    return start<R>(&detail::end_get<R>, limit, token);
  }

  template <class Value, class Token>
  auto start(detail::outcome::end_function end, time_limit limit, Token& token) const {
    core_->home.require();
    return detail::initiate<Value>(
        detail::pool_operation{detail::wait_operation{core_, state_, id_, end, limit}}, token);
  }

  // Has `call` called with a `Value` where `f` wants to be called.
  template <class Value, class F, class Call>
  const async_result& call_back(const F& f, detail::outcome::end_function end, Call call) const {
    core_->home.require();
    auto handler = detail::make_completion<Value>(
        boost::asio::bind_executor(boost::asio::get_associated_executor(f, core_->executor()),
                                   std::move(call)),
        core_->executor());
    detail::wait_operation{core_, state_, id_, end}.begin(core_->reserve(), std::move(handler));
    return *this;
  }

  std::shared_ptr<detail::pool_core> core_;
  detail::counted_ptr<detail::outcome> state_;  // an `outcome_of<R>`
  detail::job_id id_;
};

}  // namespace coterie
