// SPDX-License-Identifier: BSL-1.0
#include "host/worker_handle.hpp"

#include <sys/wait.h>

#include <utility>

#include "host/local_host.hpp"

namespace coterie::detail {

worker_handle::worker_handle(local_host& host, std::shared_ptr<runtime> pool, worker_id name,
                             int worker_rank, started_worker started)
    : id{name},
      rank{worker_rank},
      process{std::move(started.process)},
      link{std::move(started.link)},
      host_{host},
      pool_{std::move(pool)} {}

worker_handle::~worker_handle() = default;

void worker_handle::start() {
  process->start(shared_from_this());
  link.wire->start(shared_from_this());
}

void worker_handle::stop_waiting() {
  link.wire->finish();
  process->stop_waiting();
}

bool worker_handle::no_waits() const noexcept { return process->at_rest() && link.wire->at_rest(); }

void worker_handle::end() noexcept {
  link.wire->close();
  process->end();
}

void worker_handle::abandon() noexcept {
  link.wire->abandon();
  process->abandon();
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

bool worker_handle::frames_came() { return host_.take_frames(*this); }
void worker_handle::lost() { host_.take_loss(*this); }
void worker_handle::finished() { host_.take_end(*this); }
void worker_handle::at_rest() { host_.let_go(*this); }
expected_news worker_handle::expects() const { return host_.expects(id); }

void worker_handle::exited(int status) {
  wait_status = status;
  // Results that it had sent are results: they are taken in before the worker is given up.
  link.wire->finish();
}

}  // namespace coterie::detail
