// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include <coterie/detail/byte_buffer.hpp>
#include <coterie/detail/counted.hpp>
#include <coterie/detail/function_reference.hpp>
#include <coterie/detail/input.hpp>
#include <coterie/detail/result_taker.hpp>

namespace coterie::detail {

/// How the items of a job are chosen and kept.
struct job_settings {
  std::size_t chunksize = 0;
  std::size_t window = 0;
  bool held_until_consumed = false;
  std::optional<std::uint64_t> seed{};  // of the items; none: the pool's choice
};

/// One call on a pool with its types erased: a function and items, which become bytes, and a
/// `result_taker` for the bytes that come back. The core calls it from one thread at a time, and
/// never again after `finish` or `abandon`.
class job : public counted<job> {
 public:
  job(counted_ptr<result_taker> results, const job_settings& settings)
      : results_{std::move(results)}, settings_{settings} {}
  job(const job&) = delete;
  job& operator=(const job&) = delete;
  virtual ~job() = default;

  [[nodiscard]] const job_settings& settings() const noexcept { return settings_; }

  /// The `task_factory` for the worker, and the bytes that it is given.
  [[nodiscard]] virtual function_reference factory() const = 0;
  virtual void encode_callable(byte_buffer& out) = 0;

  /// Takes items from the input and appends them to `out`. What it throws fails the job.
  cut_result cut(const cut_limits& limits, byte_buffer& out);

  /// See `result_taker` for these.
  job_progress values(std::size_t first, std::size_t count, std::span<const std::byte> results,
                      deliveries& due) {
    return results_->values(first, count, results, due);
  }
  /// An item that could not be encoded fails with the reason of that.
  job_progress failure(std::size_t index, std::exception_ptr error, deliveries& due);
  void finish(std::exception_ptr error, deliveries& due);
  void abandon() noexcept { results_->abandon(); }
  std::size_t released() noexcept { return results_->released(); }
  [[nodiscard]] bool settles_each() const noexcept { return results_->settles_each(); }

 private:
  virtual input& items() noexcept = 0;

  counted_ptr<result_taker> results_;
  job_settings settings_;
  std::exception_ptr input_error_;
};

}  // namespace coterie::detail
