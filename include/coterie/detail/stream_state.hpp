// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include <coterie/detail/completion.hpp>
#include <coterie/detail/result_reader.hpp>
#include <coterie/detail/result_taker.hpp>

namespace coterie::detail {

enum class stream_order : bool { as_finished, as_given };

/// The results of a stream, and the handlers that wait for the next one. This part does not depend
/// on their type.
///
/// What comes from the pool comes under its sequencer. A reader may also take a result that is at
/// hand, from any thread and without the sequencer. Results at hand, those that wait, and what has
/// been given, are therefore behind a lock. Nothing is decoded under it.
class stream_results : public result_taker {
 public:
  /// `window` is that of the stream, 0 if it is automatic.
  stream_results(stream_order order, std::size_t window);

  /// A reader is on its way to `ask`, which happens once for each. Until then nothing is taken:
  /// readers are served in the order in which they came. Thread safety: any thread.
  void announce() noexcept;
  /// The next result goes to `reader`, now or when it is there. It completes with an optional
  /// value.
  void ask(wait_ticket ticket, std::unique_ptr<delivery> reader, deliveries& due);

  void cancel_wait(wait_ticket ticket, deliveries& due) override;
  [[nodiscard]] bool outlasts_input() const noexcept override { return true; }
  std::size_t released() noexcept override;

  /// What a reader that has tried to take a result is to do next.
  enum class next_step {
    wait,  // there is none, or the event loop is to have its turn first
    go_on,
    tell_soon,  // go on, and have the pool move the window on in a turn of the event loop
    tell_now,   // move it on first: workers may run out of items
  };

 protected:
  using lock = std::scoped_lock<std::mutex>;
  [[nodiscard]] std::mutex& mutex() const noexcept { return mutex_; }

  // All of these under the lock.
  [[nodiscard]] bool has_readers() const noexcept { return !readers_.empty(); }
  std::unique_ptr<delivery> take_reader();
  void count_given() noexcept { ++released_; }
  /// Whether a reader may take a result that is at hand.
  [[nodiscard]] bool may_take() const noexcept;
  /// It has.
  next_step count_taken() noexcept;

  void drop_readers() noexcept;
  [[nodiscard]] stream_order order() const noexcept { return order_; }

 private:
  /// Gives what is there to those that wait. Under the lock.
  virtual void serve(deliveries& due) = 0;

  struct waiter {
    wait_ticket ticket;
    std::unique_ptr<delivery> handler;
  };

  mutable std::mutex mutex_;
  std::deque<waiter> readers_;
  std::size_t on_their_way_ = 0;  // readers that will ask
  std::size_t released_ = 0;      // results that have left since `released` was asked
  std::size_t in_a_row_ = 0;      // results that were taken since a reader waited
  const std::size_t tell_at_;
  const stream_order order_;
};

/// A result, an error in its place, or, without both, the end.
template <class Value>
struct stream_entry {
  std::optional<Value> value;
  std::exception_ptr error;

  /// What the type of the value throws is the failure of this item alone.
  void take(Value&& from) {
    if constexpr (std::is_nothrow_move_constructible_v<Value>) {
      value.emplace(std::move(from));
    } else {
      try {
        value.emplace(std::move(from));
      } catch (...) {
        error = std::current_exception();
      }
    }
  }
  void take(stream_entry&& from) {
    if (from.error) {
      error = std::move(from.error);
    } else if (from.value) {
      take(std::move(*from.value));
    }
  }
};

/// The part that does.
template <class R>
class stream_state final : public stream_results {
 public:
  using value_type = held_t<R>;
  using entry = stream_entry<value_type>;

  using stream_results::stream_results;

  job_progress values(std::size_t first, std::size_t count, std::span<const std::byte> results,
                      deliveries& due) override {
    read_results<R>(
        first, count, results,
        [&](std::size_t index, value_type&& value) { place_for(index).take(std::move(value)); },
        [&](std::size_t index, std::exception_ptr error) {
          place_for(index).error = std::move(error);
        });
    const lock locked{mutex()};
    serve(due);
    return job_progress::wants_more;
  }
  job_progress failure(std::size_t index, std::exception_ptr error, deliveries& due) override {
    place_for(index).error = std::move(error);
    const lock locked{mutex()};
    serve(due);
    return job_progress::wants_more;
  }
  void finish(std::exception_ptr error, deliveries& due) override {
    // What is there still comes, then the reason.
    if (error) arrived_.emplace_back(std::in_place)->error = std::move(error);
    finished_ = true;
    const lock locked{mutex()};
    serve(due);
  }
  void abandon() noexcept override {
    drop_readers();
    arrived_.clear();
    finished_ = true;
    const lock locked{mutex()};
    at_hand_.clear();
    ended_ = true;
  }

  /// Takes the next result into `result` if it is at hand: it has a result, or what the reader is
  /// to be told in its place, unless the step is `wait`. Thread safety: any thread.
  next_step take(entry& result) {
    const lock locked{mutex()};
    if (at_hand_.empty()) return ended_ ? next_step::go_on : next_step::wait;
    if (!may_take()) return next_step::wait;
    result.take(std::move(at_hand_.front()));
    at_hand_.pop_front();
    return count_taken();
  }

 private:
  // A place in a deque keeps its address.
  entry& place_for(std::size_t index) {
    if (order() == stream_order::as_finished) return arrived_.emplace_back(std::in_place).value();
    const std::size_t place = index - first_index_;
    if (arrived_.size() <= place) arrived_.resize(place + 1);
    return arrived_[place].emplace();
  }

  void serve(deliveries& due) override {
    for (; has_readers() && !at_hand_.empty(); at_hand_.pop_front()) give(at_hand_.front(), due);
    for (; !arrived_.empty(); arrived_.pop_front(), ++first_index_) {
      // An early end leaves gaps.
      if (!arrived_.front() && !finished_) return;
      if (!arrived_.front()) continue;
      if (has_readers()) {
        give(*arrived_.front(), due);
      } else {
        at_hand_.emplace_back().take(std::move(*arrived_.front()));
      }
    }
    ended_ = finished_;
    for (entry end; ended_ && has_readers();) give(end, due);
  }

  void give(entry& next, deliveries& due) {
    auto& reader = due.emplace_back();  // if there is no memory for it, nothing has moved yet
    reader = take_reader();
    if (next.error) {
      reader->fail(std::move(next.error));
    } else {
      keep<std::optional<value_type>>(*reader, std::move(next.value));
    }
    count_given();
  }

  std::deque<std::optional<entry>> arrived_;  // as given: by index, from `passed_on` on
  std::size_t first_index_ = 0;
  bool finished_ = false;

  // Under the lock.
  std::deque<entry> at_hand_;  // in the order of the reader
  bool ended_ = false;         // and nothing comes behind it
};

}  // namespace coterie::detail
