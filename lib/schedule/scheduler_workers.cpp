// SPDX-License-Identifier: BSL-1.0

// How workers come, are lost and leave, and what that means for what they held.

#include <algorithm>
#include <utility>
#include <variant>

#include "schedule/scheduler.hpp"

namespace coterie::detail {

void scheduler::ready(worker_id id, bool revocable) {
  if (!crew_.became_ready(id, revocable)) return;
  fill();
  offer(*crew_.find(id));
  leave_if_idle();
}

departure scheduler::exited(worker_id id, time_point now, worker_exit how) {
  worker* const gone = crew_.find(id);
  if (gone == nullptr) return departure::unknown;
  forget_orders(id);
  set_preempted(*gone, false);
  const bool everything =
      how.begun == worker_exit::everything || gone->killed == kill_reason::broke_rules;
  // First, so that what comes next takes it for no worker that could be given or told anything.
  const departure as = crew_.remove(id, how.start, now);
  lose(id, how.begun, everything);
  if (as == departure::start_failed && crew_.given_up()) give_up();
  fill();
  leave_if_idle();
  report_if_gone();
  return as;
}

void scheduler::condemn(worker_id id, kill_reason why) {
  worker* const found = crew_.find(id);
  if (found == nullptr || found->stage == worker_stage::planned) return;
  crew_.kill(*found, why, actions_);
}

void scheduler::lose(worker_id dead, std::size_t begun, bool everything) {
  const job_id owner = ledger_.held_by(dead).job;
  const std::size_t held = ledger_.held_by(dead).chunks.size();
  const ledger::losses found = ledger_.lose(dead, begun, everything);
  ledger_.forget_worker(dead);
  job_state* const job = jobs_.find(owner);
  if (job == nullptr) {
    for (const chunk_id each : found.back) ledger_.forget(each);
    return;
  }
  job->held -= held;
  std::size_t lost = 0;
  for (const item_range& each : found.lost) {
    actions_.emplace_back(action::crash{.worker = dead, .items = each});
    lost += each.count;
  }
  put_back(*job, found.back);
  jobs_.refresh(owner, *job);
  finish_items(owner, lost);
}

// Its last results may have been the end of its job, and of the pool: it was to be told so.
void scheduler::forget_orders(worker_id id) {
  std::erase_if(actions_, [id](const scheduler_action& each) {
    const auto* const kill = std::get_if<action::kill>(&each);
    const auto* const stop = std::get_if<action::stop>(&each);
    const auto* const revoke = std::get_if<action::revoke>(&each);
    return (kill != nullptr && kill->worker == id) || (stop != nullptr && stop->worker == id) ||
           (revoke != nullptr && revoke->victim == id);
  });
}

// ---- the pool ---------------------------------------------------------------------------------

void scheduler::fill() {
  const bool wanted =
      phase_ == pool_phase::open || (phase_ == pool_phase::closing && !jobs_.empty());
  if (wanted) crew_.fill(actions_);
}

void scheduler::give_up() {
  crew_.stop_starting();
  action::give_up over;
  for (const auto& [id, job] : jobs_.all()) {
    auto& dropped =
        over.jobs.emplace_back(action::give_up::job{.id = id, .cut = job.cut, .unfinished = {}});
    for (const chunk_id each : job.unsent) {
      const ledger::chunk& left = ledger_.at(each);
      dropped.unfinished.push_back({.job = id, .first = left.next_item(), .count = left.left()});
    }
  }
  erase_all_jobs();
  actions_.emplace_back(std::move(over));
}

void scheduler::close() {
  if (phase_ == pool_phase::open) phase_ = pool_phase::closing;
  leave_if_idle();
  report_if_gone();
}

void scheduler::terminate() {
  if (phase_ != pool_phase::gone) phase_ = pool_phase::terminated;
  crew_.stop_starting();
  erase_all_jobs();
  // What was due for jobs is due no more. A worker that was to be killed still is.
  std::erase_if(actions_, [](const scheduler_action& each) {
    return !std::holds_alternative<action::kill>(each) &&
           !std::holds_alternative<action::all_gone>(each);
  });
  crew_.for_each([this](worker& each) {
    if (each.stage == worker_stage::planned) return crew_.unplan(each);
    crew_.kill(each, kill_reason::unwanted, actions_);
    set_preempted(each, false);
    lose(each.id, 0, false);
  });
  report_if_gone();
}

void scheduler::leave_if_idle() {
  if (phase_ != pool_phase::closing || !jobs_.empty()) return;
  crew_.stop_starting();
  crew_.for_each([this](worker& each) {
    if (each.stage == worker_stage::planned) return crew_.unplan(each);
    if (each.is(worker_stage::ready)) crew_.retire(each, actions_);
  });
  report_if_gone();
}

void scheduler::report_if_gone() {
  if (phase_ == pool_phase::open || phase_ == pool_phase::gone) return;
  if (!jobs_.empty() || !crew_.empty()) return;
  phase_ = pool_phase::gone;
  actions_.emplace_back(action::all_gone{});
}

void scheduler::tick(time_point now) {
  if (crew_.tick(now, actions_)) fill();
  report_overdue(now);
}

std::optional<scheduler::time_point> scheduler::next_deadline() const {
  std::optional<time_point> first = crew_.next_deadline();
  watched_.for_each([&](std::size_t seat) {
    const worker* const which = crew_.at_seat(seat);
    if (which == nullptr || !which->overdue_at) return;
    if (!first || *which->overdue_at < *first) first = which->overdue_at;
  });
  return first;
}

}  // namespace coterie::detail
