// SPDX-License-Identifier: BSL-1.0
#include "host/local_process.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "processes/exiting.hpp"

namespace coterie::detail {

local_process::local_process(asio_runtime& runs_on, launched_worker launched, ends_with_parent what)
    : runtime_{runs_on},
      process_{runs_on.event_loop(), launched.pid, std::move(launched.process), what} {
  for (auto* const each : {&launched.output, &launched.error}) {
    if (!each->pipe) continue;
    outputs_.push_back(std::make_unique<worker_output>(
        runs_on.event_loop(), std::move(each->pipe), std::move(each->tag),
        each == &launched.output ? STDOUT_FILENO : STDERR_FILENO));
  }
}

void local_process::start(const std::shared_ptr<process_events>& told) {
  wait_for_end(told);
  for (const auto& each : outputs_) wait_for(*each, told);
}

bool local_process::is_exiting() const noexcept { return detail::is_exiting(pid()); }

// ---- the end of the process -------------------------------------------------------------------

void local_process::wait_for_end(const std::shared_ptr<process_events>& told) {
  process_.async_wait([this, told] { runtime_.enter([this, told] { take_end(told); }); });
}

void local_process::take_end(const std::shared_ptr<process_events>& told) {
  const auto wait_status = process_.waited();
  if (ended_) return tell_if_at_rest(*told);
  if (!wait_status) return wait_for_end(told);
  told->exited(*wait_status);
}

void local_process::end() noexcept {
  ended_ = true;
  process_.end();
  for (const auto& each : outputs_) each->end();
}

void local_process::tell_if_at_rest(process_events& told) const {
  if (at_rest()) told.process_at_rest();
}

// ---- what it prints ---------------------------------------------------------------------------

void local_process::wait_for(worker_output& output, const std::shared_ptr<process_events>& told) {
  output.async_wait(
      [this, &output, told] { runtime_.enter([this, &output, told] { take(output, told); }); });
}

void local_process::take(worker_output& output, const std::shared_ptr<process_events>& told) {
  const bool more = output.arrived();
  if (ended_) return tell_if_at_rest(*told);
  if (more) wait_for(output, told);
}

// ---- all waits --------------------------------------------------------------------------------

bool local_process::at_rest() const noexcept {
  return process_.at_rest() &&
         std::ranges::all_of(outputs_, [](const auto& each) { return each->at_rest(); });
}

void local_process::stop_waiting() {
  process_.stop_waiting();
  for (const auto& each : outputs_) each->stop_waiting();
}

void local_process::abandon() noexcept {
  ended_ = true;
  process_.abandon();
  for (const auto& each : outputs_) each->abandon();
}

}  // namespace coterie::detail
