// SPDX-License-Identifier: BSL-1.0

// How workers come, are lost and leave, and what that means for what they held.

#include <algorithm>
#include <utility>
#include <variant>

#include "schedule/scheduler.hpp"
#include "system/invariant.hpp"

namespace coterie::detail {

void scheduler::ready(worker_id id, bool revocable) {
  if (!known_.workers.became_ready(id, revocable)) return;
  fill();
  giving_.offer(known_, *known_.workers.find(id));
  leave_if_idle();
}

departure scheduler::exited(worker_id id, time_point now, worker_exit how) {
  worker* const gone = known_.workers.find(id);
  if (gone == nullptr) return departure::unknown;
  forget_orders(id);
  stealing_.put_down(*gone);
  const bool everything =
      how.begun == worker_exit::everything || gone->killed == kill_reason::broke_rules;
  // First, so that what comes next takes it for no worker that could be given or told anything.
  const departure as = known_.workers.remove(id, how.start, now);
  lose(id, how.begun, everything);
  if (as == departure::start_failed && known_.workers.given_up()) give_up();
  fill();
  leave_if_idle();
  report_if_gone();
  return as;
}

void scheduler::condemn(worker_id id, kill_reason why) {
  worker* const found = known_.workers.find(id);
  if (found == nullptr || found->stage == worker_stage::planned) return;
  known_.workers.kill(*found, why, known_.actions);
}

void scheduler::lose(worker_id dead, std::size_t begun, bool everything) {
  const job_id owner = known_.chunks.held_by(dead).job;
  const std::size_t held = known_.chunks.held_by(dead).chunks.size();
  const ledger::losses found = known_.chunks.lose(dead, begun, everything);
  known_.chunks.forget_worker(dead);
  job_state* const job = known_.jobs.find(owner);
  if (job == nullptr) {
    for (const chunk_id each : found.back) known_.chunks.forget(each);
    return;
  }
  invariant(held <= job->held, "a worker held chunks that its job had not given");
  job->held -= held;
  std::size_t lost = 0;
  for (const item_range& each : found.lost) {
    known_.actions.emplace_back(action::crash{.worker = dead, .items = each});
    lost += each.count;
  }
  put_back(*job, found.back);
  known_.jobs.refresh(owner, *job);
  finish_items(owner, lost);
}

// Its last results may have been the end of its job, and of the pool: it was to be told so.
void scheduler::forget_orders(worker_id id) {
  std::erase_if(known_.actions, [id](const scheduler_action& each) {
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
      phase_ == pool_phase::open || (phase_ == pool_phase::closing && !known_.jobs.empty());
  if (wanted) known_.workers.fill(known_.actions);
}

void scheduler::give_up() {
  known_.workers.stop_starting();
  action::give_up over;
  for (const auto& [id, job] : known_.jobs.all()) {
    auto& dropped =
        over.jobs.emplace_back(action::give_up::job{.id = id, .cut = job.cut, .unfinished = {}});
    for (const chunk_id each : job.unsent) {
      const ledger::chunk& left = known_.chunks.at(each);
      dropped.unfinished.push_back({.job = id, .first = left.next_item(), .count = left.left()});
    }
  }
  erase_all_jobs();
  known_.actions.emplace_back(std::move(over));
}

void scheduler::close() {
  if (phase_ == pool_phase::open) phase_ = pool_phase::closing;
  leave_if_idle();
  report_if_gone();
}

void scheduler::terminate() {
  if (phase_ != pool_phase::gone) phase_ = pool_phase::terminated;
  known_.workers.stop_starting();
  erase_all_jobs();
  // What was due for jobs is due no more. A worker that was to be killed still is.
  std::erase_if(known_.actions, [](const scheduler_action& each) {
    return !std::holds_alternative<action::kill>(each) &&
           !std::holds_alternative<action::all_gone>(each);
  });
  known_.workers.for_each([this](worker& each) {
    if (each.stage == worker_stage::planned) return known_.workers.unplan(each);
    known_.workers.kill(each, kill_reason::unwanted, known_.actions);
    stealing_.put_down(each);
    lose(each.id, 0, false);
  });
  report_if_gone();
}

void scheduler::leave_if_idle() {
  if (phase_ != pool_phase::closing || !known_.jobs.empty()) return;
  known_.workers.stop_starting();
  known_.workers.for_each([this](worker& each) {
    if (each.stage == worker_stage::planned) return known_.workers.unplan(each);
    if (each.is(worker_stage::ready)) known_.workers.retire(each, known_.actions);
  });
  report_if_gone();
}

void scheduler::report_if_gone() {
  if (phase_ == pool_phase::open || phase_ == pool_phase::gone) return;
  if (!known_.jobs.empty() || !known_.workers.empty()) return;
  phase_ = pool_phase::gone;
  known_.actions.emplace_back(action::all_gone{});
}

void scheduler::tick(time_point now) {
  if (known_.workers.tick(now, known_.actions)) fill();
  stealing_.tick(known_, now);
}

std::optional<scheduler::time_point> scheduler::next_deadline() const {
  const auto start = known_.workers.next_deadline();
  const auto theft = stealing_.next_deadline(known_);
  return start && theft ? std::min(*start, *theft) : start ? start : theft;
}

}  // namespace coterie::detail
