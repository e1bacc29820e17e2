// SPDX-License-Identifier: BSL-1.0
#pragma once

// clang-format off: first of all
#include <coterie/detail/language.hpp>
// clang-format on

#include <concepts>
#include <cstddef>
#include <exception>
#include <memory>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/result.hpp>

#include <coterie/async_result.hpp>
#include <coterie/call_options.hpp>
#include <coterie/detail/apply_arguments.hpp>
#include <coterie/detail/call_factory.hpp>
#include <coterie/detail/effect_task.hpp>
#include <coterie/detail/owned.hpp>
#include <coterie/detail/pool_core.hpp>
#include <coterie/pool_options.hpp>
#include <coterie/pool_stats.hpp>
#include <coterie/stream.hpp>

namespace coterie {

/// Worker processes, and the calls that run in them.
///
/// Common to all calls:
///
/// - *Functions.* A plain function, a lambda without captures, `bind(f, args...)`, or a function
///   object that is itself encodable. It runs in a worker process, and what it changes stays there:
///   so a parameter that is a reference and not const is refused, and so is one in which an item or
///   argument loses its value (`int` for a `std::int64_t`).
/// - *Items and arguments* are encoded and sent; what the function returns is sent back. See
///   `coterie/ext/codec.hpp` for what may travel.
/// - *Ranges.* An lvalue is borrowed, and must live until the operation completes or the stream is
///   destroyed; an rvalue is moved in. The compiler cannot see that a stream outlives a local
///   range: write `return pool.imap(f, std::move(local))`. Any input range will do, sized or not;
///   it is read as workers have room, from whichever thread drives the pool, by one thread at a
///   time. So a range that is borrowed is read no more once the operation's handler is called, or
///   the destructor of the stream, of the pool, or `terminate` has returned: that waits for a
///   thread that is inside the range, unless it is this one.
/// - *Asynchronous operations* take a completion token last, `asio::use_awaitable` unless given.
///   Handlers run on their associated executor, never from inside the function that starts the
///   operation.
/// - *Errors.* What a task throws arrives as itself if it is a standard exception or registered by
///   `register_exception`, else as `remote_error`; either is also a `remote_info`. Beside these:
///   `worker_crashed` (the worker died while it held the item), `start_failed` (no worker can be
///   started), `pool_closed` (submitted after `close`), `pool_terminated` (the pool ended first),
///   and `error` with `errc::decode_failed`, `encode_failed`, `unknown_function` or
///   `protocol_violation`. What the input or an argument's `serialize` function throws comes out as
///   it is, and so does what the type of the result throws in this process: none of it disturbs
///   other calls. If the default constructor of a result may throw, an operation whose token is not
///   `use_awaitable` calls it when it starts.
/// - *Cancellation* of an operation drops what is queued, and completes it at once with
///   `operation_aborted`. `terminal` (which `||` emits) also kills and replaces the workers that
///   run its items, so that the pool is free; after `partial` and `total` they finish their items,
///   and the results are dropped.
/// - *Thread safety.* All functions may be called from any thread, except that the pool must not be
///   destroyed or moved while another call of it is going on.
///
/// Jobs share the workers fairly: an `apply` does not wait behind a long `map`.
///
/// The pool's workers are waited for as an acceptor waits for connections: while it is open, it
/// keeps its `io_context` from running out of work. An `io_context` that is destroyed takes its
/// pools with it: no worker is left, what was pending is destroyed without being called, and the
/// pool itself may then only be destroyed. While the loop does not run, nothing is sent and nothing
/// completes.
///
/// *Forks.* In a process that was forked from the one that made the pool, destroying the pool, its
/// streams and its event loop changes nothing for that one, and its calls go on there. All other
/// functions throw `error` (`errc::forked`), but for `size` and `get_executor`. What was pending
/// fails with it too if the child goes on with the event loop, after
/// `io_context::notify_fork(fork_child)`; without that it must not run the loop. (On io_uring Asio
/// of Boost 1.81 does not survive `notify_fork`.) A child may make pools of its own, best on an
/// `io_context` of its own.
///
/// Example:
/// @code
/// coterie::pool pool{co_await asio::this_coro::executor, {.processes = 4}};
/// auto flags = co_await pool.map(is_prime, numbers);
/// pool.close();
/// co_await pool.join();
/// @endcode
class pool {
 public:
  /// Starts workers on the event loop of `executor`. Returns before they run: work may be submitted
  /// at once, and waits for the first of them.
  ///
  /// Throws `std::invalid_argument` for options out of range, and `error` (`errc::not_initialized`)
  /// if `coterie::init` has not been called, or in a task. That no worker can be started is
  /// reported by the calls that need one, with `start_failed`: when no worker is left and three
  /// starts in a row failed.
  explicit pool(boost::asio::any_io_executor executor, const pool_options& options = {})
      : core_{
            detail::pool_core::make(std::move(executor), options, detail::event_loop_contract{})} {}

  /// The same, on an execution context such as `asio::io_context`.
  template <class Context>
    requires std::derived_from<Context, boost::asio::execution_context>
  explicit pool(Context& context, const pool_options& options = {})
      : pool{boost::asio::any_io_executor{context.get_executor()}, options} {}

  /// A pool that was moved from may be destroyed or assigned to, nothing else. Assigning ends the
  /// pool that was there, as the destructor does.
  pool(pool&&) noexcept = default;
  pool& operator=(pool&& other) noexcept {
    if (this != &other) {
      end();
      core_ = std::move(other.core_);
    }
    return *this;
  }

  /// Terminates, waits until no worker process is left, which takes milliseconds, and leaves
  /// nothing behind. What was pending completes with `pool_terminated`. May run in a completion
  /// handler.
  ~pool() { end(); }

  // ---- one call -------------------------------------------------------------------------------

  /// Calls `f(arguments...)` in a worker.
  ///
  /// `arguments` are copied or moved in; a string literal travels as a `std::string`. The last one
  /// is taken for the completion token if `f` cannot be called with all of them, but without the
  /// last.
  ///
  /// Completion signature: `void(std::exception_ptr, R)`, or `void(std::exception_ptr)` if `f`
  /// returns nothing.
  /// Errors, cancellation: see above.
  ///
  /// Example: `double result = co_await pool.apply(power, 2.0, 10);`
  template <class F, class... A>
  auto apply(F&& f, A&&... arguments) {
    return detail::split_arguments<std::decay_t<F>>(
        [&]<class Token, class... Own>(Token&& token, Own&&... own) {
          return detail::start_operation(
              core_, prepare_one(std::forward<F>(f), std::forward<Own>(own)...), token);
        },
        std::forward<A>(arguments)...);
  }

  /// Starts `f(arguments...)` in a worker at once.
  ///
  /// Throws `pool_closed`, and what copying the arguments throws. Errors of the call come out of
  /// the `async_result`.
  ///
  /// Example: `auto pending = pool.apply_async(slow, 7);`
  template <class F, class... A>
  [[nodiscard]] auto apply_async(F&& f, A&&... arguments) {
    return eagerly(prepare_one(std::forward<F>(f), std::forward<A>(arguments)...));
  }

  // ---- many calls, all at once ----------------------------------------------------------------

  /// Calls `f(item)` for each item, and completes with all results in the input's order. The first
  /// failure to arrive fails the whole call: what has not begun never runs, and what runs is
  /// finished and dropped.
  ///
  /// Completion signature: `void(std::exception_ptr, std::vector<R>)`, or
  /// `void(std::exception_ptr)` if `f` returns nothing.
  /// Errors, cancellation: see above.
  ///
  /// Example: `auto flags = co_await pool.map(is_prime, numbers);`
  template <class F, class Range, class Token = boost::asio::use_awaitable_t<>>
  auto map(F&& f, Range&& items, const map_options& options = {}, Token&& token = Token{}) {
    return detail::start_operation(core_,
                                   prepare_map<detail::whole_item, F, Range>(
                                       std::forward<F>(f), std::forward<Range>(items), options),
                                   token);
  }

  template <class F, class Range, detail::no_options Token>
  auto map(F&& f, Range&& items, Token&& token) {
    return map(std::forward<F>(f), std::forward<Range>(items), map_options{},
               std::forward<Token>(token));
  }

  /// Like `map`, for items that are tuples (`std::tuple`, `std::pair`, `std::array`) of arguments.
  ///
  /// Example:
  /// `auto powers = co_await pool.starmap(power, std::vector<std::pair<double, int>>{...});`
  template <class F, class Range, class Token = boost::asio::use_awaitable_t<>>
  auto starmap(F&& f, Range&& items, const map_options& options = {}, Token&& token = Token{}) {
    return detail::start_operation(core_,
                                   prepare_map<detail::spread_item, F, Range>(
                                       std::forward<F>(f), std::forward<Range>(items), options),
                                   token);
  }

  template <class F, class Range, detail::no_options Token>
  auto starmap(F&& f, Range&& items, Token&& token) {
    return starmap(std::forward<F>(f), std::forward<Range>(items), map_options{},
                   std::forward<Token>(token));
  }

  /// Like `map`, but completes with what became of each item: no failure stops the others.
  ///
  /// Completion signature: `void(std::exception_ptr, std::vector<result>)` with
  /// `result = boost::system::result<R, std::exception_ptr>`. The exception is for what fails the
  /// call as a whole: the input, cancellation, the pool's end.
  ///
  /// Example:
  /// @code
  /// for (const auto& outcome : co_await pool.map_settled(parse, files))
  ///   if (outcome.has_value()) use(*outcome); else report(outcome.error());
  /// @endcode
  template <class F, class Range, class Token = boost::asio::use_awaitable_t<>>
  auto map_settled(F&& f, Range&& items, const map_options& options = {}, Token&& token = Token{}) {
    return detail::start_operation(core_,
                                   prepare_settled<detail::whole_item, F, Range>(
                                       std::forward<F>(f), std::forward<Range>(items), options),
                                   token);
  }

  template <class F, class Range, detail::no_options Token>
  auto map_settled(F&& f, Range&& items, Token&& token) {
    return map_settled(std::forward<F>(f), std::forward<Range>(items), map_options{},
                       std::forward<Token>(token));
  }

  /// Like `map_settled`, for items that are tuples of arguments.
  template <class F, class Range, class Token = boost::asio::use_awaitable_t<>>
  auto starmap_settled(F&& f, Range&& items, const map_options& options = {},
                       Token&& token = Token{}) {
    return detail::start_operation(core_,
                                   prepare_settled<detail::spread_item, F, Range>(
                                       std::forward<F>(f), std::forward<Range>(items), options),
                                   token);
  }

  template <class F, class Range, detail::no_options Token>
  auto starmap_settled(F&& f, Range&& items, Token&& token) {
    return starmap_settled(std::forward<F>(f), std::forward<Range>(items), map_options{},
                           std::forward<Token>(token));
  }

  /// Starts a `map` at once. Throws `pool_closed`.
  template <class F, class Range>
  [[nodiscard]] auto map_async(F&& f, Range&& items, const map_options& options = {}) {
    return eagerly(prepare_map<detail::whole_item, F, Range>(std::forward<F>(f),
                                                             std::forward<Range>(items), options));
  }

  /// Starts a `starmap` at once. Throws `pool_closed`.
  template <class F, class Range>
  [[nodiscard]] auto starmap_async(F&& f, Range&& items, const map_options& options = {}) {
    return eagerly(prepare_map<detail::spread_item, F, Range>(std::forward<F>(f),
                                                              std::forward<Range>(items), options));
  }

  // ---- many calls, one result after the other -------------------------------------------------

  /// Calls `f(item)` for each item, and gives the results in the input's order as they become
  /// ready. Starts at once, and reads the input no further ahead than `window`: it may be endless.
  ///
  /// Throws `pool_closed`. An item that failed throws from its own `next()`, and the stream goes
  /// on.
  ///
  /// Example: see `stream`.
  template <class F, class Range>
  [[nodiscard]] auto imap(F&& f, Range&& items, const stream_options& options = {}) {
    return open<detail::whole_item, F, Range>(std::forward<F>(f), std::forward<Range>(items),
                                              options, detail::stream_order::as_given);
  }

  /// Like `imap`, but gives each result as soon as it is there.
  template <class F, class Range>
  [[nodiscard]] auto imap_unordered(F&& f, Range&& items, const stream_options& options = {}) {
    return open<detail::whole_item, F, Range>(std::forward<F>(f), std::forward<Range>(items),
                                              options, detail::stream_order::as_finished);
  }

  /// Like `imap`, for items that are tuples of arguments.
  template <class F, class Range>
  [[nodiscard]] auto istarmap(F&& f, Range&& items, const stream_options& options = {}) {
    return open<detail::spread_item, F, Range>(std::forward<F>(f), std::forward<Range>(items),
                                               options, detail::stream_order::as_given);
  }

  /// Like `imap_unordered`, for items that are tuples of arguments.
  template <class F, class Range>
  [[nodiscard]] auto istarmap_unordered(F&& f, Range&& items, const stream_options& options = {}) {
    return open<detail::spread_item, F, Range>(std::forward<F>(f), std::forward<Range>(items),
                                               options, detail::stream_order::as_finished);
  }

  // ---- what fits none of these ---------------------------------------------------------------
  //
  // The name of an overloaded function or of a template, a braced list, and options that do not
  // exist have no type that a template could look at. The compiler prints the reason as it refuses
  // the call; the results are of the kind that the caller expects, so that it finds nothing else to
  // say.
  template <class Reason = detail::no_such_call>
  boost::asio::awaitable<detail::refused_result> apply(...) = delete;
  template <class Reason = detail::no_such_call>
  boost::asio::awaitable<std::vector<detail::refused_result>> map(...) = delete;
  template <class Reason = detail::no_such_call>
  boost::asio::awaitable<std::vector<detail::refused_result>> starmap(...) = delete;
  template <class Reason = detail::no_such_call>
  boost::asio::awaitable<std::vector<detail::refused_result>> map_settled(...) = delete;
  template <class Reason = detail::no_such_call>
  boost::asio::awaitable<std::vector<detail::refused_result>> starmap_settled(...) = delete;
  template <class Reason = detail::no_such_call>
  async_result<detail::refused_result> apply_async(...) = delete;
  template <class Reason = detail::no_such_call>
  async_result<std::vector<detail::refused_result>> map_async(...) = delete;
  template <class Reason = detail::no_such_call>
  async_result<std::vector<detail::refused_result>> starmap_async(...) = delete;
  template <class Reason = detail::no_such_call>
  stream<detail::refused_result> imap(...) = delete;
  template <class Reason = detail::no_such_call>
  stream<detail::refused_result> imap_unordered(...) = delete;
  template <class Reason = detail::no_such_call>
  stream<detail::refused_result> istarmap(...) = delete;
  template <class Reason = detail::no_such_call>
  stream<detail::refused_result> istarmap_unordered(...) = delete;

  // ---- the pool itself ------------------------------------------------------------------------

  /// Accepts no more work. What was accepted is finished; then the workers run their finalizer and
  /// leave. Returns at once: `join` waits for that. May be called again, to no effect.
  void close() { core_->close(); }

  /// Kills the workers at once. What was pending completes with `pool_terminated`. Does not wait
  /// for the processes: `join`, or the destructor, does. May be called again, and from a completion
  /// handler.
  void terminate() { core_->terminate(); }

  /// Waits until the last worker has left, after `close` or `terminate`.
  ///
  /// Completion signature: `void(std::exception_ptr)`.
  /// Errors: `error` (`errc::not_closed`) if the pool still accepts work; what a finalizer threw,
  /// the first of them. A task or a finalizer that never ends keeps it waiting: `terminate` ends
  /// that, too.
  /// Cancellation (any type) ends the wait with `operation_aborted`.
  template <class Token = boost::asio::use_awaitable_t<>>
  auto join(Token&& token = Token{}) {
    core_->home.require();
    return detail::initiate<void>(detail::pool_operation{detail::join_operation{core_}}, token);
  }

  /// The number of workers that the pool keeps: `pool_options::processes`, or `available_cpus()`
  /// for 0.
  [[nodiscard]] int size() const noexcept { return core_->size(); }

  /// What the pool has done so far. The figures are read one by one, while the pool goes on.
  [[nodiscard]] pool_stats stats() const { return core_->stats(); }

  /// The executor that the pool was made with.
  [[nodiscard]] boost::asio::any_io_executor get_executor() const { return core_->executor(); }

 private:
  template <class F, class... A>
  static auto prepare_one(F&& f, A&&... arguments) {
    using items = detail::single_item<A...>;
    using call = detail::call<detail::spread_item, F, items, detail::call_form::apply>;
    using result = typename call::result;
    if constexpr (!call::accepted) {
      return detail::prepared_call<result>{};
    } else if constexpr (!detail::check_copies<A...>()) {
      return detail::prepared_call<result>{};
    } else {
      return detail::prepare<call, result, detail::value_taker<result>>(
          std::forward<F>(f),
          items{typename items::value_type{detail::owned(std::forward<A>(arguments))...}},
          {.chunksize = 1});
    }
  }

  template <class Form, class F, class Range>
  static auto prepare_map(F&& f, Range&& items, const map_options& options) {
    using call = detail::call<Form, F, Range>;
    using result = typename call::result;
    using outcome = detail::collected_t<result>;
    if constexpr (!call::accepted) {
      return detail::prepared_call<outcome>{};
    } else {
      return detail::prepare<call, outcome, detail::collecting_taker<result>>(
          std::forward<F>(f), std::forward<Range>(items), detail::settings_of(options));
    }
  }

  template <class Form, class F, class Range>
  static auto prepare_settled(F&& f, Range&& items, const map_options& options) {
    using call = detail::call<Form, F, Range>;
    using result = typename call::result;
    using outcome = std::vector<detail::settled<result>>;
    if constexpr (!call::accepted) {
      return detail::prepared_call<outcome>{};
    } else {
      return detail::prepare<call, outcome, detail::settling_taker<result>>(
          std::forward<F>(f), std::forward<Range>(items), detail::settings_of(options));
    }
  }

  template <class Outcome>
  async_result<Outcome> eagerly(detail::prepared_call<Outcome> call) {
    const detail::job_id id = core_->reserve();
    detail::start_eagerly(*core_, id, call);
    return {core_, std::move(call.results), id};
  }

  template <class Form, class F, class Range>
  auto open(F&& f, Range&& items, const stream_options& options, detail::stream_order order) {
    using call = detail::call<Form, F, Range>;
    if constexpr (!call::accepted) {
      return stream<typename call::result>{core_, nullptr, 0};
    } else {
      const detail::job_id id = core_->reserve();
      auto state = detail::start_stream<call>(*core_, id, std::forward<F>(f),
                                              std::forward<Range>(items), options, order);
      return stream<typename call::result>{core_, std::move(state), id};
    }
  }

  void end() noexcept {
    if (core_) core_->destroy();
  }

  std::shared_ptr<detail::pool_core> core_;
};

}  // namespace coterie
