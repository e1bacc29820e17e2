// SPDX-License-Identifier: BSL-1.0
#pragma once

// clang-format off: first of all
#include <coterie/detail/language.hpp>
// clang-format on

#include <chrono>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_type.hpp>

#include <coterie/detail/deadline_race.hpp>
#include <coterie/detail/initiate.hpp>

namespace coterie {

/// What becomes of a call's work that has begun when its time has passed. What has not begun never
/// runs, in either case.
enum class when_late {
  /// The workers that run its items are killed and replaced, so that the pool is free.
  kill,
  /// They finish their items, and the results are dropped.
  let_finish,
};

/// Gives an operation a deadline: `limit` from when this is awaited. What the operation completes
/// with, a value or an error, comes out at once and as it is; if the time passes first, the
/// operation is cancelled, and this fails with `timeout_error`.
///
/// `operation` is anything that can be awaited: a call of a pool, `stream::next`,
/// `async_result::get`, or a coroutine that does several of them. A `limit` of zero or less cancels
/// at once; any length will do.
///
/// Completion: as `operation`. (`co_await (a || timer)` waits for the first *success*: an error of
/// `a` is not seen until the timer has won. This is what to use instead.)
///
/// Errors: those of the operation; `timeout_error` (`errc::timeout`). An outcome that is there just
/// when the time passes is not lost: then it comes, and no `timeout_error`.
///
/// Cancellation: forwarded to the operation, whatever its type.
///
/// What is cancelled at the deadline: a call of a pool ends at once, with its work treated as
/// `late` says. `stream::next` and `async_result::wait` or `get` are waits: they end, no result is
/// lost, and the work goes on. Of other operations Asio's documentation tells what a cancellation
/// does; one that cannot be cancelled is waited for.
///
/// Thread safety: as for any coroutine; the operation may complete in any thread.
///
/// Example:
/// @code
/// auto flags = co_await coterie::within(pool.map(is_prime, numbers), 3s);
/// auto thumb = co_await coterie::within(thumbs.next(), 200ms);
/// int value = co_await coterie::within(pool.apply(f, 1), 1s, coterie::when_late::let_finish);
/// @endcode
template <class T, class Rep, class Period>
[[nodiscard]] boost::asio::awaitable<T> within(boost::asio::awaitable<T> operation,
                                               std::chrono::duration<Rep, Period> limit,
                                               when_late late = when_late::kill) {
  using boost::asio::cancellation_type;
  const auto type =
      late == when_late::kill ? cancellation_type::terminal : cancellation_type::total;
  using limited = detail::limited_operation<T, std::chrono::duration<Rep, Period>>;
  return detail::await<T, boost::asio::any_io_executor>(limited{std::move(operation), limit, type});
}

}  // namespace coterie
