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
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <coterie/detail/async_state.hpp>
#include <coterie/detail/cancellation.hpp>
#include <coterie/detail/deadline.hpp>
#include <coterie/error.hpp>

namespace coterie {

/// A call that has been started and can be looked at: what `pool::apply_async` and its kin return.
/// Copies are handles to the same call. Dropping all of them does not stop it. It may outlive its
/// pool. When its event loop is gone, only `ready`, `successful`, `remaining` and `total` may be called. In
/// a process that was forked from the pool's, these tell what was so at the fork, and all other functions
/// throw `error` (`errc::forked`).
///
/// `R` is what the call completes with: a value, a `std::vector`, or `void`. What waits (`wait`, `get`,
/// callbacks) runs on the event loop: a thread that blocks instead of running the loop waits for ever.
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

  /// Whether the call ended with a value. Throws `error` (`errc::not_ready`) while it is not `ready`.
  [[nodiscard]] bool successful() const {
    const auto now = state_->now.load();
    if (now == detail::async_progress::status::pending) throw error{errc::not_ready};
    return now == detail::async_progress::status::value;
  }

  /// Items that are not finished yet, as far as workers have told. 0 when the call is `ready`. While
  /// the input's length is not known (a range that must be read to be counted), this cannot be told,
  /// and is 0 as well.
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
  /// Completion signature: `void(std::exception_ptr, bool)`; `false` if it is not there in time. The
  /// call goes on. A `limit` of zero or less only looks.
  /// Cancellation (any type) ends the wait with `operation_aborted`, not the call.
  template <class Rep, class Period, class Token = boost::asio::use_awaitable_t<>>
  auto wait(std::chrono::duration<Rep, Period> limit, Token&& token = Token{}) const {
    return start_wait(detail::deadline_after(std::chrono::steady_clock::now(), limit), token);
  }

  /// Waits for the value. It is copied, so that it can be had again; a value that cannot be copied is
  /// moved out.
  ///
  /// Completion signature: `void(std::exception_ptr, R)`, or `void(std::exception_ptr)` for `void`.
  /// Errors: what the call failed with; `error` (`errc::result_taken`) for a value that was moved out
  /// before.
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

  /// Ends the call with `operation_aborted`, unless it is `ready`: what has not begun never runs, and
  /// workers that run an item of it are killed and replaced. When this returns, a borrowed range is read no
  /// more; that may mean to wait for another thread that is inside it.
  void cancel() const {
    core_->home.require();
    core_->cancel_and_wait(id_, detail::operation_aborted(), true);
  }

  /// Calls `f(value)` (`f()` for `void`) once, when the call ends with a value: on `f`'s associated
  /// executor, or the pool's. If it has ended already, soon. Several may be added; each gets a copy.
  /// What `f` throws, or the copying of the value, leaves the event loop's `run`. Returns `*this`, so that calls can be chained.
  template <class F>
  const async_result& callback(F f) const {
    static_assert(
        std::is_void_v<R> || std::is_copy_constructible_v<detail::held_t<R>>,
        "coterie: a callback gets a copy of the value, and this one cannot be copied; use "
        "get() instead");
    auto executor = boost::asio::get_associated_executor(f, core_->executor());
    auto to = detail::make_completion<void, held>(
        boost::asio::bind_executor(
            std::move(executor),
            [f = std::move(f)](std::exception_ptr problem, held value) mutable {
              if (problem) std::rethrow_exception(problem);
              if constexpr (std::is_void_v<R>) {
                f();
              } else {
                f(std::move(value));
              }
            }),
        core_->executor());
    when_ready(
        [to = std::move(to)](detail::async_state<R>& state, detail::deliveries& due) mutable {
          if (state.problem) return;
          if constexpr (std::is_void_v<R>) {
            detail::complete(std::move(to), due, {}, held{});
          } else {
            detail::complete(std::move(to), due, {}, std::as_const(*state.value));
          }
        });
    return *this;
  }

  /// Calls `f(std::exception_ptr)` once, when the call ends with an exception: a task's, or that of
  /// `cancel` or of the pool's end. Otherwise like `callback`; of the two, one is called.
  template <class F>
  const async_result& error_callback(F f) const {
    auto executor = boost::asio::get_associated_executor(f, core_->executor());
    auto to = detail::make_completion<void>(
        boost::asio::bind_executor(
            std::move(executor),
            [f = std::move(f)](std::exception_ptr problem) mutable { f(std::move(problem)); }),
        core_->executor());
    when_ready(
        [to = std::move(to)](detail::async_state<R>& state, detail::deliveries& due) mutable {
          if (state.problem) detail::complete(std::move(to), due, state.problem);
        });
    return *this;
  }

  /// For those who extend coterie; made by `pool`.
  async_result(std::shared_ptr<detail::pool_core> core,
               std::shared_ptr<detail::async_state<R>> state, detail::job_id id)
      : core_{std::move(core)}, state_{std::move(state)}, id_{id} {}

 private:
  using clock = std::chrono::steady_clock;
  using time_limit = std::optional<clock::time_point>;
  using held = detail::held_t<R>;

  template <class Token>
  auto start_wait(time_limit limit, Token& token) const {
    core_->home.require();
    return boost::asio::async_initiate<Token, void(std::exception_ptr, bool)>(
        [self = *this, limit]<class Handler>(Handler&& handler) {
          self.template enlist<Token, bool>(
              std::forward<Handler>(handler), limit,
              [](detail::async_state<R>&, auto to, detail::wait_end how, detail::deliveries& due) {
                auto problem = how == detail::wait_end::cancelled ? detail::operation_aborted()
                                                                  : std::exception_ptr{};
                detail::complete(std::move(to), due, std::move(problem),
                                 how == detail::wait_end::ready);
              });
        },
        token);
  }

  template <class Token>
  auto start_get(time_limit limit, Token& token) const {
    core_->home.require();
    return boost::asio::async_initiate<Token, typename detail::receiver_for<R>::signature>(
        [self = *this, limit]<class Handler>(Handler&& handler) {
          const auto hand_over = [](detail::async_state<R>& state, auto to, detail::wait_end how,
                                    detail::deliveries& due) {
            auto problem = problem_of(state, how);
            if (problem) {
              detail::fail(std::move(to), due, std::move(problem));
            } else if constexpr (std::is_void_v<R>) {
              detail::complete(std::move(to), due, {});
            } else if constexpr (std::is_copy_constructible_v<R>) {
              detail::complete(std::move(to), due, {}, std::as_const(*state.value));
            } else {
              detail::complete(std::move(to), due, {}, std::move(*state.value));
              state.value.reset();
            }
          };
          if constexpr (std::is_void_v<R>) {
            self.template enlist<Token>(std::forward<Handler>(handler), limit, hand_over);
          } else {
            self.template enlist<Token, R>(std::forward<Handler>(handler), limit, hand_over);
          }
        },
        token);
  }

  static std::exception_ptr problem_of(detail::async_state<R>& state, detail::wait_end how) {
    if (how == detail::wait_end::cancelled) return detail::operation_aborted();
    if (how == detail::wait_end::late) return std::make_exception_ptr(timeout_error{});
    if constexpr (!std::is_void_v<R>) {
      if (!state.problem && !state.value) {
        return std::make_exception_ptr(error{errc::result_taken});
      }
    }
    return state.problem;
  }

  // Enters a handler among those who wait; `then(state, handler, how, due)` completes it.
  template <class Token, class... Values, class Handler, class Then>
  void enlist(Handler&& handler, time_limit limit, Then then) const {
    const auto ticket = core_->reserve();
    detail::on_cancellation(handler, core_,
                            [state = state_, id = id_, ticket](const auto& pool, auto) {
                              end_wait(pool, state, id, ticket, detail::wait_end::cancelled);
                            });
    auto to = detail::make_completion<Token, Values...>(std::forward<Handler>(handler),
                                                        core_->executor());

    std::shared_ptr<boost::asio::steady_timer> timer;
    if (limit && !ready()) {
      timer = std::make_shared<boost::asio::steady_timer>(core_->executor(), *limit);
      timer->async_wait([core = core_, state = state_, id = id_, ticket](const auto& problem) {
        if (!problem) end_wait(core, state, id, ticket, detail::wait_end::late);
      });
    }
    auto call = [state = state_, to = std::move(to), then = std::move(then)](
                    detail::wait_end how, detail::deliveries& due) mutable {
      then(*state, std::move(to), how, due);
    };
    core_->run(id_, [state = state_, ticket, timer = std::move(timer),
                     call = std::move(call)](detail::deliveries& due) mutable {
      state->wait(ticket, std::move(call), std::move(timer), due);
    });
  }

  static void end_wait(const std::shared_ptr<detail::pool_core>& core,
                       const std::shared_ptr<detail::async_state<R>>& state, detail::job_id id,
                       std::uint64_t ticket, detail::wait_end how) {
    core->run(id,
              [state, ticket, how](detail::deliveries& due) { state->end_wait(ticket, how, due); });
  }

  // Calls `then(state, due)` when the outcome is there.
  template <class Then>
  void when_ready(Then then) const {
    core_->home.require();
    core_->run(id_, [state = state_, ticket = core_->reserve(),
                     then = std::move(then)](detail::deliveries& due) mutable {
      auto call = [state, then = std::move(then)](
                      detail::wait_end, detail::deliveries& later) mutable { then(*state, later); };
      state->wait(ticket, std::move(call), nullptr, due);
    });
  }

  std::shared_ptr<detail::pool_core> core_;
  std::shared_ptr<detail::async_state<R>> state_;
  detail::job_id id_;
};

}  // namespace coterie
