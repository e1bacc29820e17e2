// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <utility>

#include <coterie/detail/function_task.hpp>
#include <coterie/detail/item_input.hpp>
#include <coterie/detail/job.hpp>

namespace coterie::detail {

/// A call: a function, and the range that its items are in.
template <class Form, class F, class Range>
class call_job final : public job {
 public:
  using input_type = item_input<Range>;
  using item_type = typename input_type::item_type;

  template <class Given>
  call_job(Given&& function, Range&& range, counted_ptr<result_taker> results,
           const job_settings& settings)
      : job{std::move(results), settings},
        function_(std::forward<Given>(function)),
        input_{std::forward<Range>(range)} {}

  [[nodiscard]] function_reference factory() const override {
    // Looked up once for each kind of call, not for each call.
    static const function_reference here = locate(&make_function_task<Form, F, item_type>);
    return here;
  }

  void encode_callable(byte_buffer& out) override { detail::encode_callable(out, function_); }

 private:
  input& items() noexcept override { return input_; }

  F function_;
  input_type input_;
};

}  // namespace coterie::detail
