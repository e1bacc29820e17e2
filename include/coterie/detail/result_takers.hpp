// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/system/result.hpp>

#include <coterie/detail/call_job.hpp>
#include <coterie/detail/large_pages.hpp>
#include <coterie/detail/receiver.hpp>
#include <coterie/detail/result_reader.hpp>

namespace coterie::detail {

/// The value of one item, or why there is none.
template <class R>
using settled = boost::system::result<R, std::exception_ptr>;

/// Takes the results of a call that has one outcome in the end, which a receiver gets.
template <class Outcome>
class outcome_taker : public result_taker {
 public:
  /// Called once, before the call is submitted.
  virtual void send_to(std::shared_ptr<receiver_t<Outcome>> to) = 0;
};

/// For calls whose first failure is their outcome. `Outcome` is what the receiver gets.
template <class Outcome>
class first_failure_taker : public outcome_taker<Outcome> {
 public:
  void send_to(std::shared_ptr<receiver_t<Outcome>> to) override { to_ = std::move(to); }

  job_progress failure(std::size_t, std::exception_ptr problem, deliveries& due) override {
    if (to_) std::exchange(to_, {})->fail(std::move(problem), due);
    return job_progress::settled;
  }
  void abandon() noexcept override {
    if (to_) to_->abandon();
  }

 protected:
  void outcome(held_t<Outcome>&& value, deliveries& due) {
    if (to_) give<Outcome>(*std::exchange(to_, {}), std::move(value), due);
  }
  void progressed(std::size_t finished) {
    if (to_) to_->progressed(finished);
  }
  [[nodiscard]] bool is_settled() const noexcept { return to_ == nullptr; }

 private:
  std::shared_ptr<receiver_t<Outcome>> to_;
};

/// `apply`: one value.
template <class R>
class value_taker final : public first_failure_taker<R> {
 public:
  explicit value_taker(std::optional<std::size_t>) {}

  job_progress values(std::size_t first, std::size_t count, std::span<const std::byte> results,
                      deliveries& due) override {
    read_results<R>(
        first, count, results,
        [&](std::size_t, held_t<R>&& value) { value_.emplace(std::move(value)); },
        [&](std::size_t index, std::exception_ptr problem) {
          this->failure(index, std::move(problem), due);
        });
    return this->is_settled() ? job_progress::settled : job_progress::wants_more;
  }
  void finish(std::exception_ptr problem, deliveries& due) override {
    if (problem) {
      this->failure(0, std::move(problem), due);
    } else if (!this->is_settled()) {
      this->outcome(std::move(value_.value()), due);
    }
  }

 private:
  std::optional<held_t<R>> value_;
};

/// What `map` completes with.
template <class R>
using collected_t = typename std::conditional_t<std::is_void_v<R>, std::type_identity<void>,
                                                std::type_identity<std::vector<held_t<R>>>>::type;

/// `map`: all values, in the input's order.
template <class R>
class collecting_taker final : public first_failure_taker<collected_t<R>> {
 public:
  explicit collecting_taker(std::optional<std::size_t> size) {
    if constexpr (!std::is_void_v<R>) {
      if (!size) return;
      values_.reserve(*size);
      if constexpr (!std::is_same_v<R, bool>) {
        const std::size_t bytes = *size * sizeof(R);
        if (bytes >= least_for_large_pages) prefer_large_pages(values_.data(), bytes);
      }
    }
  }

  job_progress values(std::size_t first, std::size_t count, std::span<const std::byte> results,
                      deliveries& due) override {
    if constexpr (in_one_block) {
      if (results.size() == count * sizeof(R)) {
        take_block(first, count, results.data());
        return done(count);
      }
    }
    if constexpr (!std::is_void_v<R>) {
      if (values_.size() < first + count) values_.resize(first + count);
    }
    read_results<R>(
        first, count, results,
        [&](std::size_t index, held_t<R>&& value) {
          if constexpr (!std::is_void_v<R>) values_[index] = std::move(value);
        },
        [&](std::size_t index, std::exception_ptr problem) {
          this->failure(index, std::move(problem), due);
        });
    return done(count);
  }
  void finish(std::exception_ptr problem, deliveries& due) override {
    if (problem) {
      this->failure(0, std::move(problem), due);
    } else {
      this->outcome(std::move(values_), due);
    }
  }

 private:
  static constexpr bool in_one_block = raw_item<R> && !std::is_same_v<R, bool>;

  void take_block(std::size_t first, std::size_t count, const std::byte* results) {
    const auto* const values = reinterpret_cast<const R*>(results);
    if (values_.size() == first && reinterpret_cast<std::uintptr_t>(results) % alignof(R) == 0) {
      // One pass; a resize would first write zeros.
      values_.insert(values_.end(), values, values + count);
      return;
    }
    if (values_.size() < first + count) values_.resize(first + count);
    std::memcpy(static_cast<void*>(values_.data() + first), results, count * sizeof(R));
  }

  job_progress done(std::size_t count) {
    this->progressed(finished_ += count);
    return this->is_settled() ? job_progress::settled : job_progress::wants_more;
  }

  held_t<collected_t<R>> values_;
  std::size_t finished_ = 0;
};

/// `map_settled`: for each item its value or its failure, in the input's order.
template <class R>
class settling_taker final : public outcome_taker<std::vector<settled<R>>> {
 public:
  using outcome_type = std::vector<settled<R>>;

  explicit settling_taker(std::optional<std::size_t> size) {
    if (size) outcomes_.reserve(*size);
  }
  void send_to(std::shared_ptr<receiver<outcome_type>> to) override { to_ = std::move(to); }

  job_progress values(std::size_t first, std::size_t count, std::span<const std::byte> results,
                      deliveries&) override {
    make_room(first + count);
    read_results<R>(
        first, count, results,
        [&](std::size_t index, held_t<R>&& value) { put_value(index, std::move(value)); },
        [&](std::size_t index, std::exception_ptr problem) { put(index, std::move(problem)); });
    to_->progressed(finished_ += count);
    return job_progress::wants_more;
  }
  job_progress failure(std::size_t index, std::exception_ptr problem, deliveries&) override {
    make_room(index + 1);
    put(index, std::move(problem));
    to_->progressed(++finished_);
    return job_progress::wants_more;
  }
  [[nodiscard]] bool settles_each() const noexcept override { return true; }
  void finish(std::exception_ptr problem, deliveries& due) override {
    const auto to = std::exchange(to_, {});
    if (!to) return;
    if (problem) {
      to->fail(std::move(problem), due);
    } else {
      to->receive(due, std::move(outcomes_));
    }
  }
  void abandon() noexcept override { to_->abandon(); }

 private:
  void make_room(std::size_t size) {
    if (outcomes_.size() >= size) return;
    outcomes_.resize(size, settled<R>{boost::system::in_place_error, std::exception_ptr{}});
  }
  // What the type of the value throws is the outcome of this item alone.
  void put_value(std::size_t index, held_t<R>&& value) {
    if constexpr (std::is_void_v<R>) {
      outcomes_[index] = settled<R>{};
    } else {
      try {
        outcomes_[index] = settled<R>{boost::system::in_place_value, std::move(value)};
      } catch (...) {
        put(index, std::current_exception());
      }
    }
  }
  void put(std::size_t index, std::exception_ptr problem) {
    outcomes_[index] = settled<R>{boost::system::in_place_error, std::move(problem)};
  }

  std::shared_ptr<receiver<outcome_type>> to_;
  outcome_type outcomes_;
  std::size_t finished_ = 0;
};

}  // namespace coterie::detail
