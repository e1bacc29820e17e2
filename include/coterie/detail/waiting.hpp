// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <coterie/detail/cancellation.hpp>
#include <coterie/detail/completion.hpp>
#include <coterie/detail/outcome.hpp>
#include <coterie/detail/pool_core.hpp>
#include <coterie/detail/stream_state.hpp>

// Operations that wait for what a call gives: the next result of a stream, or an outcome. What Asio
// makes of a token is erased at once, and the rest is compiled.

namespace coterie::detail {

/// Enters a reader of the stream `id`.
void ask_next(pool_core& core, job_id id, const std::shared_ptr<stream_results>& results,
              wait_ticket ticket, std::unique_ptr<delivery> reader);

/// Has the pool notice what its reader has taken, if `step` says so.
void tell_of_reading(pool_core& core, job_id id, stream_results::next_step step) noexcept;

/// Begins to wait for the next result of a stream.
template <class Value, class Token>
struct next_initiation {
  std::shared_ptr<pool_core> core;
  std::shared_ptr<stream_results> results;
  job_id id;

  template <class Handler>
  void operator()(Handler&& handler) const {
    const auto ticket = core->reserve();
    on_cancellation<wait_cancellation>(handler, core, results, id, ticket);
    ask_next(*core, id, results, ticket,
             make_completion<Token, std::optional<Value>>(std::forward<Handler>(handler),
                                                          core->executor()));
  }
};

/// A stream as its readers need it.
template <class R>
struct stream_source {
  std::shared_ptr<pool_core> core;
  std::shared_ptr<stream_state<R>> results;
  job_id id;
};

/// The next result of a stream, for a coroutine: without any wait if it is at hand.
template <class R, class Executor>
boost::asio::awaitable<std::optional<held_t<R>>, Executor> next_result(
    std::shared_ptr<const stream_source<R>> from) {
  using token_type = boost::asio::use_awaitable_t<Executor>;
  using value_type = held_t<R>;
  next_initiation<value_type, token_type> wait{from->core, from->results, from->id};
  if (from->core->home.is_here()) {
    stream_entry<value_type> next;
    const auto step = from->results->take(next);
    if (step != stream_results::next_step::wait) {
      tell_of_reading(*from->core, from->id, step);
      if (next.error) std::rethrow_exception(next.error);
      co_return std::move(next.value);
    }
  }
  token_type token;
  co_return co_await boost::asio::async_initiate<token_type, void(std::exception_ptr,
                                                                  std::optional<value_type>)>(
      std::move(wait), token);
}

/// A call whose outcome is waited for, and how long.
struct outcome_wait {
  using time_limit = std::optional<std::chrono::steady_clock::time_point>;

  std::shared_ptr<pool_core> core;
  std::shared_ptr<outcome> of;
  job_id id;
  time_limit limit{};

  /// Enters a handler, which `end` completes.
  void begin(wait_ticket ticket, std::unique_ptr<delivery> handler,
             outcome::end_function end) const;
};

/// Begins to wait for an outcome. `Value` is what `end` completes the operation with.
template <class Value, class Token>
struct wait_initiation {
  outcome_wait wait;
  outcome::end_function end;

  template <class Handler>
  void operator()(Handler&& handler) const {
    const auto ticket = wait.core->reserve();
    on_cancellation<wait_cancellation>(handler, wait.core, wait.of, wait.id, ticket);
    wait.begin(ticket,
               make_completion<Token, Value>(std::forward<Handler>(handler), wait.core->executor()),
               end);
  }
};

/// How `async_result::wait` ends.
void end_look(outcome& of, std::unique_ptr<delivery> handler, wait_end how, deliveries& due);

/// How `async_result::get` ends if it has no value to give.
void end_without_value(const outcome& of, std::unique_ptr<delivery> handler, wait_end how,
                       deliveries& due);

/// How `async_result::get` ends: with a copy of the value, or the value itself if it has no copy.
template <class T>
void end_get(outcome& of, std::unique_ptr<delivery> handler, wait_end how, deliveries& due) {
  auto& value = static_cast<outcome_of<T>&>(of).kept;
  if (how != wait_end::ready || !value) return end_without_value(of, std::move(handler), how, due);
  auto& to = static_cast<completion<T>&>(*handler);
  if constexpr (std::is_copy_constructible_v<held_t<T>>) {
    to.keep(std::as_const(*value));
  } else {
    to.keep(std::move(*value));
    value.reset();
  }
  due.push_back(std::move(handler));
}

/// How the wait of a callback ends: it is called for a value only.
template <class T>
void end_callback(outcome& of, std::unique_ptr<delivery> handler, wait_end, deliveries& due) {
  if constexpr (std::is_copy_constructible_v<held_t<T>>) {
    const auto& value = static_cast<outcome_of<T>&>(of).kept;
    if (!value) return;
    static_cast<completion<T>&>(*handler).keep(*value);
    due.push_back(std::move(handler));
  }
}

/// How the wait of an error callback ends: it is called for an error only.
void end_error_callback(outcome& of, std::unique_ptr<delivery> handler, wait_end, deliveries& due);

}  // namespace coterie::detail
