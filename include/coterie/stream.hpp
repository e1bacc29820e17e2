// SPDX-License-Identifier: BSL-1.0
#pragma once

// clang-format off: first of all
#include <coterie/detail/language.hpp>
// clang-format on

#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <coterie/detail/stream_state.hpp>
#include <coterie/detail/waiting.hpp>

namespace coterie {

/// The results of `pool::imap` and its kin, one after the other. Moves, does not copy.
///
/// Work goes on without a reader, but never more than the stream's `window` of items ahead of the
/// reader. Destroying the stream drops what has not begun; what runs, runs on and is not heard of
/// again. When the destructor returns, a borrowed range is read no more: if another thread is
/// inside the range just then, the destructor waits for it. Inside the range itself a stream may be
/// destroyed, too. The stream may outlive its pool, but not its event loop. One that was moved from
/// may be destroyed or assigned to, nothing else.
///
/// `R` is what the function returns; for `void` the results are `std::monostate`. Its move
/// constructor and its destructor must not use the stream or the pool: a lock is held.
///
/// Example:
/// @code
/// auto thumbs = pool.imap_unordered(shrink, paths);
/// while (auto thumb = co_await thumbs.next()) publish(*thumb);
/// @endcode
template <class R>
class stream {
 public:
  using value_type = std::conditional_t<std::is_void_v<R>, std::monostate, R>;

  stream(stream&&) noexcept = default;
  stream& operator=(stream&& other) noexcept {
    if (this != &other) {
      drop();
      source_ = std::move(other.source_);
    }
    return *this;
  }
  ~stream() { drop(); }

  /// Waits for the next result: in the input's order for `imap`, as they come for `imap_unordered`.
  ///
  /// Completion signature: `void(std::exception_ptr, std::optional<value_type>)`. An empty optional
  /// is the end, now and for ever after.
  ///
  /// Errors: what the task of this item threw, or what else it failed with, such as
  /// `worker_crashed`; then the stream goes on, and the next call waits for the next item. What
  /// ended the whole stream, once, before the end: the input's own exception, or `pool_terminated`,
  /// `start_failed`.
  ///
  /// Cancellation (any type) ends this wait with `operation_aborted`. No result is lost by it, and
  /// the work goes on.
  ///
  /// Throws `error` (`errc::forked`) in a process that was forked from the pool's.
  ///
  /// Thread safety: may be called from any thread. Several calls may wait at a time; they are
  /// served in the order in which they came.
  template <class Token = boost::asio::use_awaitable_t<>>
  auto next(Token&& token = Token{}) {
    source_->core->home.require();
    using token_type = std::decay_t<Token>;
    if constexpr (detail::is_use_awaitable<token_type>) {
      return detail::next_result<R, typename detail::awaiting_executor<token_type>::type>(source_);
    } else {
      return detail::initiate<std::optional<value_type>>(
          detail::pool_operation{
              detail::next_operation{source_->core, source_->results, source_->id}},
          token);
    }
  }

  /// For extensions of coterie; made by `pool`.
  stream(std::shared_ptr<detail::pool_core> core, detail::counted_ptr<detail::stream_results> state,
         detail::job_id id)
      : source_{
            std::make_shared<const detail::stream_source>(std::move(core), std::move(state), id)} {}

 private:
  void drop() noexcept {
    if (!source_) return;
    source_->core->cancel_and_wait(source_->id, detail::operation_aborted(), false);
  }

  std::shared_ptr<const detail::stream_source> source_;  // with a `stream_state<R>`
};

}  // namespace coterie
