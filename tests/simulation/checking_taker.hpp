// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string>
#include <utility>

#include <coterie/detail/result_reader.hpp>
#include <coterie/detail/result_taker.hpp>

#include "simulated_call.hpp"

namespace simulation {

/// Takes the results of a call, and tells of each. May throw, as the types of a program do.
template <class R>
class checking_taker final : public coterie::detail::result_taker {
 public:
  checking_taker(std::uint64_t id, simulated_call& call) : id_{id}, call_{call} {}

  coterie::detail::job_progress values(std::size_t first, std::size_t count,
                                       std::span<const std::byte> results,
                                       coterie::detail::deliveries&) override {
    coterie::detail::read_results<R>(
        first, count, results, [&](std::size_t index, R&& value) { take(index, value); },
        [&](std::size_t index, const std::exception_ptr& error) { fail(index, error); });
    return progress();
  }
  coterie::detail::job_progress failure(std::size_t index, std::exception_ptr error,
                                        coterie::detail::deliveries&) override {
    fail(index, error);
    return progress();
  }
  void finish(std::exception_ptr error, coterie::detail::deliveries&) override {
    call_events::now->program_runs();
    if (std::exchange(call_.plan.finish_throws, false)) {
      call_events::now->taker_throws(id_);
      throw thrown_by_program{id_, place::finishing, 0};
    }
    call_events::now->call_ended(id_, error);
  }
  void abandon() noexcept override {}
  void cancel_wait(coterie::detail::wait_ticket, coterie::detail::deliveries&) override {}
  [[nodiscard]] bool outlasts_input() const noexcept override {
    return call_.plan.form == call_form::stream;
  }
  [[nodiscard]] bool settles_each() const noexcept override {
    return call_.plan.form == call_form::settled;
  }
  std::size_t released() noexcept override { return std::exchange(call_.released, 0); }

 private:
  [[nodiscard]] coterie::detail::job_progress progress() const {
    return settled_ ? coterie::detail::job_progress::settled
                    : coterie::detail::job_progress::wants_more;
  }
  // What comes with the results of the item that has ended the call is not wanted.
  template <class Value>
  void take(std::size_t index, const Value& value) {
    if (settled_) return;
    throw_if_planned(index);
    const bool known = index < call_.items.size();
    call_events::now->item_returned(id_, index, known && is_right(call_.items[index].what, value));
  }
  void fail(std::size_t index, const std::exception_ptr& error) {
    if (settled_) return;
    throw_if_planned(index);
    call_events::now->item_failed(id_, index, error);
    if (call_.plan.form != call_form::collected) return;
    settled_ = true;
    call_events::now->call_ended(id_, error);
  }
  void throw_if_planned(std::size_t index) {
    call_events::now->program_runs();
    if (!call_.plan.throws.is(place::taking, index)) return;
    call_events::now->taker_throws(id_);
    call_.plan.throws.throw_if(place::taking, index);
  }
  static bool is_right(const order& what, std::uint64_t value) { return value == answer_of(what); }
  static bool is_right(const order& what, const std::string& value) {
    return value == text_of(what);
  }

  std::uint64_t id_;
  simulated_call& call_;
  bool settled_ = false;  // by an item that failed
};

}  // namespace simulation
