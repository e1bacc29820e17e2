// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include <coterie/detail/call_job.hpp>
#include <coterie/detail/cancellation.hpp>
#include <coterie/detail/pool_core.hpp>
#include <coterie/detail/result_takers.hpp>

namespace coterie::detail {

enum class stream_order : bool { as_finished, as_given };

/// The results of a stream on their way to whoever asks for the next one. All functions run under
/// the pool's sequencer.
template <class R>
class stream_state final : public result_taker {
 public:
  using value_type = held_t<R>;
  using handler = completion<std::optional<value_type>>;
  using ticket = std::uint64_t;

  explicit stream_state(stream_order order) : order_{order} {}

  /// The next result goes to `to`, now or when it is there.
  void ask(ticket id, std::unique_ptr<handler> to, deliveries& due) {
    readers_.push_back({id, std::move(to)});
    serve(due);
  }

  void cancel(ticket id, deliveries& due) {
    for (auto each = readers_.begin(); each != readers_.end(); ++each) {
      if (each->id != id) continue;
      fail(std::move(each->to), due, operation_aborted());
      readers_.erase(each);
      return;
    }
  }

  job_progress values(std::size_t first, std::size_t count, std::span<const std::byte> results,
                      deliveries& due) override {
    read_results<R>(
        first, count, results,
        [&](std::size_t index, value_type&& value) { put_value(index, std::move(value)); },
        [&](std::size_t index, std::exception_ptr problem) {
          place_for(index).problem = std::move(problem);
        });
    serve(due);
    return job_progress::wants_more;
  }
  job_progress failure(std::size_t index, std::exception_ptr problem, deliveries& due) override {
    place_for(index).problem = std::move(problem);
    serve(due);
    return job_progress::wants_more;
  }
  void finish(std::exception_ptr problem, deliveries& due) override {
    // What is there still comes, then the reason.
    if (problem) results_.emplace_back(std::in_place)->problem = std::move(problem);
    finished_ = true;
    serve(due);
  }
  void abandon() noexcept override {
    readers_.clear();
    results_.clear();
    finished_ = true;
  }
  [[nodiscard]] bool outlasts_input() const noexcept override { return true; }
  std::size_t released() noexcept override { return std::exchange(released_, 0); }

 private:
  struct entry {
    std::optional<value_type> value;  // empty: `problem`
    std::exception_ptr problem;
  };
  struct reader {
    ticket id;
    std::unique_ptr<handler> to;
  };

  // A place in a deque keeps its address: a value is moved into it, and out of it to the reader.
  entry& place_for(std::size_t index) {
    if (order_ == stream_order::as_finished) return results_.emplace_back(std::in_place).value();
    const std::size_t place = index - given_;
    if (results_.size() <= place) results_.resize(place + 1);
    return results_[place].emplace();
  }
  // What the type of the value throws is the failure of this item alone.
  void put_value(std::size_t index, value_type&& value) {
    entry& place = place_for(index);
    try {
      place.value.emplace(std::move(value));
    } catch (...) {
      place.problem = std::current_exception();
    }
  }

  void serve(deliveries& due) {
    while (!readers_.empty()) {
      // An early end leaves gaps.
      while (finished_ && !results_.empty() && !results_.front()) results_.pop_front();
      if (!results_.empty() && results_.front()) {
        entry& next = *results_.front();
        complete(take_reader(), due, std::move(next.problem), std::move(next.value));
        results_.pop_front();
        ++given_;
        ++released_;
      } else if (results_.empty() && finished_) {
        complete(take_reader(), due, {}, std::nullopt);
      } else {
        break;
      }
    }
  }

  std::unique_ptr<handler> take_reader() {
    auto first = std::move(readers_.front().to);
    readers_.pop_front();
    return first;
  }

  stream_order order_;
  std::deque<std::optional<entry>> results_;  // as given: by index, from `given_` on
  std::deque<reader> readers_;
  std::size_t given_ = 0;
  std::size_t released_ = 0;  // results that have left since `released` was asked
  bool finished_ = false;
};

}  // namespace coterie::detail
