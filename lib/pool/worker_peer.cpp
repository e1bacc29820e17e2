// SPDX-License-Identifier: BSL-1.0
#include "pool/worker_peer.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <utility>

#include "pool/pool_engine.hpp"

namespace coterie::detail {

worker_peer::worker_peer(std::shared_ptr<pool_engine> engine, worker_id name, int worker_rank,
                         std::unique_ptr<worker_process> worker, made_link link,
                         std::vector<std::unique_ptr<worker_output>> worker_outputs)
    : id{name},
      rank{worker_rank},
      process{std::move(worker)},
      wire{std::move(link.wire)},
      outputs{std::move(worker_outputs)},
      secret{link.secret},
      engine_{std::move(engine)} {}

worker_peer::~worker_peer() = default;

void worker_peer::start() {
  wait_for_end();
  wire->async_receive(shared_from_this());
  for (const auto& each : outputs) wait_for(*each);
}

void worker_peer::wait_for_end() {
  process->async_wait([self = shared_from_this()] { self->engine_->process_ended(self); });
}

void worker_peer::wait_for(worker_output& output) {
  output.async_wait(
      [self = shared_from_this(), &output] { self->engine_->output_arrived(self, output); });
}

bool worker_peer::at_rest() const noexcept {
  return process->at_rest() && wire->at_rest() &&
         std::ranges::all_of(outputs, [](const auto& each) { return each->at_rest(); });
}

void worker_peer::stop_waiting() {
  wire->stop_receiving();
  process->stop_waiting();
  for (const auto& each : outputs) each->stop_waiting();
}

void worker_peer::end() noexcept {
  wire->close();
  process->end();
  for (const auto& each : outputs) each->end();
}

void worker_peer::abandon() noexcept {
  wire->abandon();
  process->abandon();
  for (const auto& each : outputs) each->abandon();
}

worker_end worker_peer::ended(kill_reason killed) const {
  worker_end end{.rank = rank,
                 .pid = process->pid(),
                 .wait_status = wait_status,
                 .killed = killed,
                 .reason = {}};
  const bool says_lost_link = wait_status != unknown_wait_status && WIFEXITED(wait_status) &&
                              WEXITSTATUS(wait_status) == exit_lost_link;
  if (killed == kill_reason::lost_link || says_lost_link) {
    end.reason =
        "it lost its connection to the pool: do its tasks close descriptors that they did not open?";
  } else if (killed == kill_reason::broke_rules) {
    end.reason = problem;
  } else if (killed == kill_reason::start_timed_out) {
    end.reason = "it was not ready within pool_options::start_timeout";
  }
  return end;
}

void worker_peer::input_arrived(boost::system::error_code reason, std::size_t count) {
  engine_->input_arrived(shared_from_this(), reason.failed(), count);
}

void worker_peer::time_to_look(look_for why) { engine_->time_to_look(shared_from_this(), why); }

void worker_peer::output_possible() { engine_->output_possible(shared_from_this()); }

}  // namespace coterie::detail
