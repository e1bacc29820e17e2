// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <span>
#include <utility>

#include <coterie/detail/function_task.hpp>
#include <coterie/detail/item_input.hpp>
#include <coterie/detail/job.hpp>

namespace coterie::detail {

/// What becomes of the results of a call. The functions are those of `job`.
class result_taker {
 public:
  result_taker() = default;
  result_taker(const result_taker&) = delete;
  result_taker& operator=(const result_taker&) = delete;
  virtual ~result_taker() = default;

  virtual job_progress values(std::size_t first, std::size_t count,
                              std::span<const std::byte> results, deliveries& due) = 0;
  virtual job_progress failure(std::size_t index, std::exception_ptr problem, deliveries& due) = 0;
  virtual void finish(std::exception_ptr problem, deliveries& due) = 0;
  virtual void abandon() noexcept = 0;
  /// The input failed after some items had been taken. True if their results are still wanted; what
  /// is then passed to `finish` later is this problem.
  [[nodiscard]] virtual bool outlasts_input() const noexcept { return false; }
  [[nodiscard]] virtual bool settles_each() const noexcept { return false; }
  virtual std::size_t released() noexcept { return 0; }
};

/// A call: a function, items, and somebody who takes the results.
template <class Form, class F, class Input>
class call_job final : public job {
 public:
  using item_type = typename Input::item_type;

  call_job(F function, Input input, std::shared_ptr<result_taker> taker, job_settings settings)
      : function_{std::move(function)},
        input_{std::move(input)},
        taker_{std::move(taker)},
        settings_{settings} {}

  [[nodiscard]] job_settings settings() const override { return settings_; }

  [[nodiscard]] function_reference factory() const override {
    // Looked up once for each kind of call, not for each call.
    static const function_reference here = locate(&make_function_task<Form, F, item_type>);
    return here;
  }

  void encode_callable(byte_buffer& out) override { detail::encode_callable(out, function_); }

  cut_result cut(const cut_limits& limits, byte_buffer& out) override {
    if (!taker_->outlasts_input()) return input_.cut(limits, out);
    try {
      return input_.cut(limits, out);
    } catch (...) {
      input_problem_ = std::current_exception();
      return {.count = 0, .exhausted = true};
    }
  }

  job_progress values(std::size_t first, std::size_t count, std::span<const std::byte> results,
                      deliveries& due) override {
    return taker_->values(first, count, results, due);
  }

  job_progress failure(std::size_t index, std::exception_ptr problem, deliveries& due) override {
    if (auto cause = input_.take_problem(index)) problem = std::move(cause);
    return taker_->failure(index, std::move(problem), due);
  }

  void finish(std::exception_ptr problem, deliveries& due) override {
    taker_->finish(problem ? std::move(problem) : std::exchange(input_problem_, {}), due);
  }

  std::size_t released() noexcept override { return taker_->released(); }
  [[nodiscard]] bool settles_each() const noexcept override { return taker_->settles_each(); }
  void abandon() noexcept override { taker_->abandon(); }

 private:
  F function_;
  Input input_;
  std::shared_ptr<result_taker> taker_;
  job_settings settings_;
  std::exception_ptr input_problem_;
};

}  // namespace coterie::detail
