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

#include <coterie/detail/huge_pages.hpp>
#include <coterie/detail/outcome.hpp>
#include <coterie/detail/result_reader.hpp>

namespace coterie::detail {

/// The value of one item, or why there is none.
template <class R>
using settled = boost::system::result<R, std::exception_ptr>;

/// `apply`: one value.
template <class R>
class value_taker final : public outcome_of<R> {
 public:
  explicit value_taker(std::optional<std::size_t>) {}

  job_progress values(std::size_t first, std::size_t count, std::span<const std::byte> results,
                      deliveries& due) override {
    read_results<R>(
        first, count, results,
        [&](std::size_t, held_t<R>&& made) { made_.emplace(std::move(made)); },
        [&](std::size_t, std::exception_ptr error) { this->fail(std::move(error), due); });
    return this->progress();
  }
  void finish(std::exception_ptr error, deliveries& due) override {
    if (error) {
      this->fail(std::move(error), due);
    } else if (!this->ready()) {
      this->succeed(std::move(made_.value()), due);
    }
  }

 private:
  std::optional<held_t<R>> made_;
};

/// What `map` completes with.
template <class R>
using collected_t = typename std::conditional_t<std::is_void_v<R>, std::type_identity<void>,
                                                std::type_identity<std::vector<held_t<R>>>>::type;

/// `map`: all values, in the input's order.
template <class R>
class collecting_taker final : public outcome_of<collected_t<R>> {
 public:
  explicit collecting_taker(std::optional<std::size_t> size) {
    if constexpr (!std::is_void_v<R>) {
      if (!size) return;
      values_.reserve(*size);
      if constexpr (!std::is_same_v<R, bool>) {
        const std::size_t bytes = *size * sizeof(R);
        if (bytes >= least_for_huge_pages) prefer_huge_pages(values_.data(), bytes);
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
        [&](std::size_t, std::exception_ptr error) { this->fail(std::move(error), due); });
    return done(count);
  }
  void finish(std::exception_ptr error, deliveries& due) override {
    if (error) {
      this->fail(std::move(error), due);
    } else {
      this->succeed(std::move(values_), due);
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
    this->progressed(count);
    return this->progress();
  }

  held_t<collected_t<R>> values_;
};

/// `map_settled`: for each item its value or its failure, in the input's order.
template <class R>
class settling_taker final : public outcome_of<std::vector<settled<R>>> {
 public:
  using outcome_type = std::vector<settled<R>>;

  explicit settling_taker(std::optional<std::size_t> size) {
    if (size) outcomes_.reserve(*size);
  }

  job_progress values(std::size_t first, std::size_t count, std::span<const std::byte> results,
                      deliveries&) override {
    make_room(first + count);
    read_results<R>(
        first, count, results,
        [&](std::size_t index, held_t<R>&& value) { put_value(index, std::move(value)); },
        [&](std::size_t index, std::exception_ptr error) { put(index, std::move(error)); });
    this->progressed(count);
    return job_progress::wants_more;
  }
  job_progress failure(std::size_t index, std::exception_ptr error, deliveries&) override {
    make_room(index + 1);
    put(index, std::move(error));
    this->progressed(1);
    return job_progress::wants_more;
  }
  [[nodiscard]] bool settles_each() const noexcept override { return true; }
  void finish(std::exception_ptr error, deliveries& due) override {
    if (error) {
      this->fail(std::move(error), due);
    } else {
      this->succeed(std::move(outcomes_), due);
    }
  }

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
  void put(std::size_t index, std::exception_ptr error) {
    outcomes_[index] = settled<R>{boost::system::in_place_error, std::move(error)};
  }

  outcome_type outcomes_;
};

}  // namespace coterie::detail
