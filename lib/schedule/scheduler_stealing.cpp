// SPDX-License-Identifier: BSL-1.0

// What comes back: stolen for an idle worker, or revoked for a job that waits.

#include <algorithm>
#include <utility>

#include "schedule/scheduler.hpp"
#include "timing/timing.hpp"

namespace coterie::detail {

namespace {

// A job preempts workers of one that has so many more chunks under way: with one less and one more, it
// is not the other way round.
constexpr std::size_t min_lead = 2;

}  // namespace

// Each worker is robbed once of what it was given last, and once more if it is overdue.
bool scheduler::rob() {
  const bool for_thief = jobs_.none_waits();
  // A stream asks this for each result that is taken from it; a job does not preempt itself.
  if (!for_thief && jobs_.size() < 2) return false;
  if (for_thief ? !any_idle() : !jobs_.more_wait_than(preempted_)) return false;
  for (std::size_t left = std::min(looks, victims_.size()); left > 0 && !victims_.empty();) {
    const std::size_t seat = victims_.take_front();
    worker* const victim = crew_.at_seat(seat);
    if (victim == nullptr || !victim->is(worker_stage::ready)) continue;
    const job_state* const job = jobs_.find(ledger_.held_by(victim->id).job);
    if (job == nullptr) continue;
    const std::size_t max = may_come_back(*victim, *job);
    if (victim->revocations >= max_revocations || max == 0) continue;
    if (!for_thief && job->held < jobs_.first().held + min_lead) {
      victims_.add(seat);
      --left;
      continue;
    }
    const bool picky = for_thief && !std::exchange(victim->overdue, false);
    if (picky) watch(*victim);
    const std::size_t min = picky ? min_theft_of(*job) : 1;
    if (max < min) continue;
    actions_.emplace_back(action::revoke{.victim = victim->id,
                                         .min = min,
                                         .unit = job->sizer.least(),
                                         .spares_next = true,
                                         .only_if_cheap = picky});
    return true;
  }
  return false;
}

bool scheduler::any_idle() {
  for (; !idle_.empty(); idle_.take_front()) {
    const worker* const first = crew_.at_seat(idle_.front());
    if (first == nullptr || !first->is(worker_stage::ready)) continue;
    if (ledger_.current(first->id) == nullptr) return true;
  }
  return false;
}

// ---- overdue workers --------------------------------------------------------------------------

void scheduler::watch(worker& which) {
  which.overdue_at.reset();
  watched_.add(worker_table::seat_of(which.id));
}

void scheduler::rest(time_point now) {
  watched_.remove_if([&](std::size_t seat) {
    worker* const which = crew_.at_seat(seat);
    const ledger::chunk* const current = which == nullptr ? nullptr : ledger_.current(which->id);
    if (current == nullptr) return true;
    if (!which->overdue_at) which->overdue_at = now + timing::overdue + 2 * current->expected;
    return false;
  });
}

void scheduler::report_overdue(time_point now) {
  watched_.remove_if([&](std::size_t seat) {
    worker* const which = crew_.at_seat(seat);
    if (which == nullptr || !which->overdue_at || *which->overdue_at > now) return false;
    which->overdue = true;
    victims_.add(seat);
    return true;
  });
}

// ---- what came back ---------------------------------------------------------------------------

void scheduler::revoked(worker_id id, chunk_id begun, std::size_t kept) {
  worker* const victim = crew_.find(id);
  if (victim == nullptr || ledger_.current(id) == nullptr) return;
  ++victim->revocations;
  const job_id owner = ledger_.held_by(id).job;
  const std::size_t held_before = ledger_.held_by(id).chunks.size();
  const std::deque<chunk_id> back = ledger_.revoke(id, begun, kept);
  if (job_state* const job = jobs_.find(owner)) {
    job->held -= held_before - ledger_.held_by(id).chunks.size();
    put_back(*job, back);
    jobs_.refresh(owner, *job);
  } else {
    for (const chunk_id each : back) ledger_.forget(each);
  }
  if (ledger_.current(id) == nullptr) return offer(*victim);
  set_preempted(*victim, true);
  // It has less to do than the others.
  prefetchers_.add_in_front(worker_table::seat_of(id));
}

// A stream waits for what came first.
void scheduler::put_back(job_state& job, const std::deque<chunk_id>& chunks) {
  const auto place = [this](chunk_id id) { return ledger_.at(id).next_item(); };
  for (const chunk_id each : chunks) {
    job.unsent.insert(std::ranges::upper_bound(job.unsent, place(each), {}, place), each);
  }
}

std::size_t scheduler::min_theft_of(const job_state& job) const {
  const auto each = job.sizer.item_time();
  if (!each) return 1;
  const auto least = std::max(timing::min_theft, timing::min_theft_each * crew_.size());
  const auto item = std::max(*each, std::chrono::nanoseconds{1});
  return static_cast<std::size_t>((least + item - std::chrono::nanoseconds{1}) / item);
}

// As far as is known: the victim is at the first of its chunks, or further.
std::size_t scheduler::may_come_back(const worker& victim, const job_state& job) const {
  std::size_t count = 0;
  bool in_front = true;
  for (const chunk_id each : ledger_.held_by(victim.id).chunks) {
    const std::size_t left = ledger_.at(each).left();
    count += in_front ? left - std::min(left, job.sizer.least()) : left;
    in_front = false;
  }
  return count;
}

void scheduler::set_preempted(worker& which, bool value) {
  if (std::exchange(which.preempted, value) == value) return;
  value ? ++preempted_ : --preempted_;
}

}  // namespace coterie::detail
