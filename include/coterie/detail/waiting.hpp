// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include <coterie/detail/cancellation.hpp>
#include <coterie/detail/initiate.hpp>
#include <coterie/detail/outcome.hpp>
#include <coterie/detail/pool_core.hpp>
#include <coterie/detail/stream_state.hpp>

// Operations that wait for what a call gives: the next result of a stream, or an outcome.

namespace coterie::detail {

/// The wait for the next result of a stream.
struct next_operation {
  std::shared_ptr<pool_core> core;
  counted_ptr<stream_results> results;
  job_id id;

  [[nodiscard]] wait_cancellation cancellation(wait_ticket ticket) const {
    return {core, results, id, ticket};
  }
  void begin(wait_ticket ticket, std::unique_ptr<delivery> reader);
};

/// Has the pool notice what its reader has taken, if `step` says so.
void tell_pool(pool_core& core, job_id id, stream_results::next_step step) noexcept;

/// A stream as its readers need it.
struct stream_source {
  std::shared_ptr<pool_core> core;
  counted_ptr<stream_results> results;  // a `stream_state` of the type of the results
  job_id id;
};

/// The next result of a stream, for a coroutine: without any wait if it is at hand.
template <class R, class Executor>
boost::asio::awaitable<std::optional<held_t<R>>, Executor> next_result(
    std::shared_ptr<const stream_source> from) {
  using value_type = held_t<R>;
  if (from->core->home.is_here()) {
    stream_entry<value_type> next;
    const auto step = static_cast<stream_state<R>&>(*from->results).take(next);
    if (step != stream_results::next_step::wait) {
      tell_pool(*from->core, from->id, step);
      if (next.error) std::rethrow_exception(next.error);
      co_return std::move(next.value);
    }
  }
  std::optional<std::optional<value_type>> value;
  pool_operation wait{next_operation{from->core, from->results, from->id}};
  placed_operation<decltype(wait)> placed{std::move(wait), &value};
  co_await std::move(placed);
  co_return std::move(*value);
}

/// The wait for an outcome, `limit` at the longest. `end` completes its handler.
struct wait_operation {
  using time_limit = std::optional<std::chrono::steady_clock::time_point>;

  std::shared_ptr<pool_core> core;
  counted_ptr<outcome> of;
  job_id id;
  outcome::end_function end;
  time_limit limit{};

  [[nodiscard]] wait_cancellation cancellation(wait_ticket ticket) const {
    return {core, of, id, ticket};
  }
  void begin(wait_ticket ticket, std::unique_ptr<delivery> handler);
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
  if constexpr (std::is_copy_constructible_v<held_t<T>>) {
    keep<T>(*handler, std::as_const(*value));
  } else {
    keep<T>(*handler, std::move(*value));
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
    keep<T>(*handler, *value);
    due.push_back(std::move(handler));
  }
}

/// How the wait of an error callback ends: it is called for an error only.
void end_error_callback(outcome& of, std::unique_ptr<delivery> handler, wait_end, deliveries& due);

}  // namespace coterie::detail
