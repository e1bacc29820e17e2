// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include <coterie/detail/completion.hpp>
#include <coterie/detail/result_taker.hpp>

namespace coterie::detail {

/// How a wait for an outcome ends.
enum class wait_end { ready, late, cancelled };

/// Takes the results of a call that has one outcome in the end: a value, or an error. An operation
/// gets it, or it stays here to be looked at. This part does not depend on the type of the value.
///
/// What is not atomic is touched only under the pool's sequencer.
class outcome : public result_taker {
 public:
  enum class status : unsigned char { pending, value, failure };

  std::atomic<status> now = status::pending;
  std::atomic<std::size_t> finished = 0;  // items
  std::atomic<std::size_t> total = 0;     // items; 0: not known yet

  [[nodiscard]] bool ready() const noexcept { return now.load() != status::pending; }
  /// Precondition: `ready`. Empty if there is a value, or if an operation got the error.
  [[nodiscard]] const std::exception_ptr& reason() const noexcept { return reason_; }

  /// `operation` gets the outcome, which is not kept. Called once at most, before the call is
  /// submitted. It completes with the type of the value.
  void send_to(std::unique_ptr<delivery> operation) { operation_ = std::move(operation); }

  /// Completes a handler that waited. It has the type that the waiting function made.
  using end_function = void (*)(outcome& of, std::unique_ptr<delivery> handler, wait_end how,
                                deliveries& due);
  struct waiter {
    wait_ticket ticket;
    std::unique_ptr<delivery> handler;
    end_function end;
    std::shared_ptr<boost::asio::steady_timer> timer{};
  };
  /// Ends the wait when the outcome is there, or before that by `end_wait`.
  void wait(waiter one, deliveries& due);
  void end_wait(wait_ticket ticket, wait_end how, deliveries& due);

  /// The first failure is the outcome, unless each item has its own.
  job_progress failure(std::size_t index, std::exception_ptr error, deliveries& due) override;
  void abandon() noexcept override;
  void cancel_wait(wait_ticket ticket, deliveries& due) override;

 protected:
  /// Ends the call with an error, if it has not ended yet.
  void fail(std::exception_ptr error, deliveries& due);
  /// The value is where it belongs, and the call has ended.
  void settle(deliveries& due) { settle_as(status::value, due); }
  /// So many more items are finished.
  void progressed(std::size_t count) noexcept {
    finished.store(finished.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }
  [[nodiscard]] job_progress progress() const noexcept {
    return ready() ? job_progress::settled : job_progress::wants_more;
  }
  [[nodiscard]] delivery* operation() const noexcept { return operation_.get(); }

 private:
  void settle_as(status how, deliveries& due);

  std::unique_ptr<delivery> operation_;
  std::exception_ptr reason_;
  std::vector<waiter> waiting_;
};

/// The part that does: where the value is.
template <class T>
class outcome_of : public outcome {
 public:
  /// The value that was kept; empty for an error, and if it was moved out.
  std::optional<held_t<T>> kept;

 protected:
  /// Ends the call with a value, if it has not ended yet.
  void succeed(held_t<T>&& made, deliveries& due) {
    if (ready()) return;
    if (delivery* const to = operation()) {
      keep<T>(*to, std::move(made));
    } else if constexpr (std::is_nothrow_move_constructible_v<held_t<T>>) {
      kept.emplace(std::move(made));
    } else {
      try {
        kept.emplace(std::move(made));
      } catch (...) {
        return fail(std::current_exception(), due);
      }
    }
    settle(due);
  }
};

}  // namespace coterie::detail
