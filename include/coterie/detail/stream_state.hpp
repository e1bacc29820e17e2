// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
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
/// on their type. All functions run under the pool's sequencer.
class stream_results : public result_taker {
 public:
  explicit stream_results(stream_order order) : order_{order} {}

  /// The next result goes to `reader`, now or when it is there: a `completion` of an optional
  /// value.
  void ask(wait_ticket ticket, std::unique_ptr<delivery> reader, deliveries& due);

  void cancel_wait(wait_ticket ticket, deliveries& due) override;
  [[nodiscard]] bool outlasts_input() const noexcept override { return true; }
  std::size_t released() noexcept override { return std::exchange(released_, 0); }

 protected:
  [[nodiscard]] bool has_readers() const noexcept { return !readers_.empty(); }
  std::unique_ptr<delivery> take_reader();
  void drop_readers() noexcept { readers_.clear(); }
  /// A result has left.
  void count_given() noexcept {
    ++given_;
    ++released_;
  }
  [[nodiscard]] stream_order order() const noexcept { return order_; }
  [[nodiscard]] std::size_t given() const noexcept { return given_; }

 private:
  /// Gives what is there to those that wait.
  virtual void serve(deliveries& due) = 0;

  struct waiter {
    wait_ticket ticket;
    std::unique_ptr<delivery> handler;
  };

  std::deque<waiter> readers_;
  std::size_t given_ = 0;
  std::size_t released_ = 0;  // results that have left since `released` was asked
  stream_order order_;
};

/// The part that does.
template <class R>
class stream_state final : public stream_results {
 public:
  using value_type = held_t<R>;
  using reader_type = completion<std::optional<value_type>>;

  using stream_results::stream_results;

  job_progress values(std::size_t first, std::size_t count, std::span<const std::byte> results,
                      deliveries& due) override {
    read_results<R>(
        first, count, results,
        [&](std::size_t index, value_type&& value) { put_value(index, std::move(value)); },
        [&](std::size_t index, std::exception_ptr error) {
          place_for(index).error = std::move(error);
        });
    serve(due);
    return job_progress::wants_more;
  }
  job_progress failure(std::size_t index, std::exception_ptr error, deliveries& due) override {
    place_for(index).error = std::move(error);
    serve(due);
    return job_progress::wants_more;
  }
  void finish(std::exception_ptr error, deliveries& due) override {
    // What is there still comes, then the reason.
    if (error) results_.emplace_back(std::in_place)->error = std::move(error);
    finished_ = true;
    serve(due);
  }
  void abandon() noexcept override {
    drop_readers();
    results_.clear();
    finished_ = true;
  }

 private:
  struct entry {
    std::optional<value_type> value;  // empty: `error`
    std::exception_ptr error;
  };

  // A place in a deque keeps its address: a value is moved into it, and out of it to the reader.
  entry& place_for(std::size_t index) {
    if (order() == stream_order::as_finished) return results_.emplace_back(std::in_place).value();
    const std::size_t place = index - given();
    if (results_.size() <= place) results_.resize(place + 1);
    return results_[place].emplace();
  }
  // What the type of the value throws is the failure of this item alone.
  void put_value(std::size_t index, value_type&& value) {
    entry& place = place_for(index);
    if constexpr (std::is_nothrow_move_constructible_v<value_type>) {
      place.value.emplace(std::move(value));
    } else {
      try {
        place.value.emplace(std::move(value));
      } catch (...) {
        place.error = std::current_exception();
      }
    }
  }

  void serve(deliveries& due) override {
    while (has_readers()) {
      // An early end leaves gaps.
      while (finished_ && !results_.empty() && !results_.front()) results_.pop_front();
      if (!results_.empty() && results_.front()) {
        give(*results_.front(), due);
        results_.pop_front();
        count_given();
      } else if (results_.empty() && finished_) {
        entry end;
        give(end, due);
      } else {
        break;
      }
    }
  }

  void give(entry& next, deliveries& due) {
    auto reader = take_reader();
    if (next.error) {
      reader->fail(std::move(next.error));
    } else {
      static_cast<reader_type&>(*reader).keep(std::move(next.value));
    }
    due.push_back(std::move(reader));
  }

  std::deque<std::optional<entry>> results_;  // as given: by index, from `given` on
  bool finished_ = false;
};

}  // namespace coterie::detail
