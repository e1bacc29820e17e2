// SPDX-License-Identifier: BSL-1.0
#include "host/worker_handle.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <utility>

namespace coterie::detail {

worker_handle::worker_handle(std::shared_ptr<runtime> told, worker_id name, int worker_rank,
                             std::unique_ptr<worker_process> worker, made_link link,
                             std::vector<std::unique_ptr<worker_output>> worker_outputs)
    : id{name},
      rank{worker_rank},
      process{std::move(worker)},
      wire{std::move(link.wire)},
      outputs{std::move(worker_outputs)},
      secret{link.secret},
      told_{std::move(told)} {}

worker_handle::~worker_handle() = default;

void worker_handle::start() {
  wait_for_end();
  wire->async_receive(shared_from_this());
  for (const auto& each : outputs) wait_for(*each);
}

void worker_handle::wait_for_end() {
  process->async_wait(
      [self = shared_from_this()] { self->tell({.what = host_event::kind::exit}); });
}

void worker_handle::wait_for(worker_output& output) {
  output.async_wait([self = shared_from_this(), &output] {
    self->tell({.what = host_event::kind::printed, .output = &output});
  });
}

bool worker_handle::at_rest() const noexcept {
  return process->at_rest() && wire->at_rest() &&
         std::ranges::all_of(outputs, [](const auto& each) { return each->at_rest(); });
}

void worker_handle::stop_waiting() {
  wire->stop_receiving();
  process->stop_waiting();
  for (const auto& each : outputs) each->stop_waiting();
}

void worker_handle::end() noexcept {
  wire->close();
  process->end();
  for (const auto& each : outputs) each->end();
}

void worker_handle::abandon() noexcept {
  wire->abandon();
  process->abandon();
  for (const auto& each : outputs) each->abandon();
}

worker_end worker_handle::how_it_ended() const {
  worker_end end{.rank = rank,
                 .pid = process->pid(),
                 .wait_status = wait_status,
                 .reason = fault,
                 .broke_rules = broke_rules,
                 .greeted = talk.greeted(),
                 .start_error = start_error};
  const bool says_lost_link = wait_status != unknown_wait_status && WIFEXITED(wait_status) &&
                              WEXITSTATUS(wait_status) == exit_lost_link;
  if (end.reason.empty() && says_lost_link) end.reason = lost_link_reason;
  return end;
}

void worker_handle::input_arrived(boost::system::error_code error, std::size_t count) {
  tell({.what = host_event::kind::input, .count = count, .ended = error.failed()});
}

void worker_handle::output_possible() { tell({.what = host_event::kind::output_possible}); }

void worker_handle::time_to_look(look_for why) {
  tell({.what =
            why == look_for::what_comes_soon ? host_event::kind::poll : host_event::kind::check});
}

void worker_handle::tell(host_event what) {
  what.worker = shared_from_this();
  told_->happened(std::move(what));
}

}  // namespace coterie::detail
