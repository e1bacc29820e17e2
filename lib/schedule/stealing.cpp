// SPDX-License-Identifier: BSL-1.0
#include "schedule/stealing.hpp"

#include <algorithm>
#include <utility>

#include "timing/timing.hpp"

namespace coterie::detail {

namespace {

// A job preempts workers of one that has so many more chunks under way: with one less and one more,
// it is not the other way round.
constexpr std::size_t min_lead = 2;

// So many workers are looked at for a victim; the next event looks further.
constexpr std::size_t max_looks = 8;

}  // namespace

// ---- what a worker may lose -------------------------------------------------------------------

// The worker that was given something longest ago is the first victim: it ends what it runs first,
// where items are alike.
void stealing::given(worker& to) {
  set_preempted(to, false);
  to.overdue = false;
  if (to.revocable) victims_.add_at_end(worker_table::seat_of(to.id));
}

void stealing::chunk_ended(const tables& known, worker& which) {
  if (known.chunks.current(which.id) == nullptr) set_preempted(which, false);
  which.revocations = 0;
  which.overdue = false;
  which.overdue_at.reset();
}

void stealing::revoked(const tables& known, worker& victim) {
  ++victim.revocations;
  set_preempted(victim, known.chunks.current(victim.id) != nullptr);
}

void stealing::set_preempted(worker& which, bool value) {
  if (std::exchange(which.preempted, value) == value) return;
  value ? ++preempted_ : --preempted_;
}

std::size_t stealing::min_theft(const tables& known, const job_state& job) {
  const auto each = job.sizer.item_time();
  if (!each) return 1;
  const auto least = std::max(timing::min_theft, timing::min_theft_each * known.workers.size());
  const auto item = std::max(*each, std::chrono::nanoseconds{1});
  return static_cast<std::size_t>((least + item - std::chrono::nanoseconds{1}) / item);
}

// As far as is known: the victim is at the first of its chunks, or further.
std::size_t stealing::may_come_back(const tables& known, const worker& victim,
                                    const job_state& job) {
  std::size_t count = 0;
  bool in_front = true;
  for (const chunk_id each : known.chunks.held_by(victim.id).chunks) {
    const std::size_t left = known.chunks.at(each).left();
    count += in_front ? left - std::min(left, job.sizer.least()) : left;
    in_front = false;
  }
  return count;
}

// ---- robbing ----------------------------------------------------------------------------------

// Each worker is robbed once of what it was given last, and once more if it is overdue.
bool stealing::rob(tables& known, bool any_idle) {
  const bool for_thief = known.jobs.none_waits();
  // A stream asks this for each result that is taken from it; a job does not preempt itself.
  if (!for_thief && known.jobs.size() < 2) return false;
  if (for_thief ? !any_idle : !known.jobs.more_wait_than(preempted_)) return false;
  for (std::size_t left = std::min(max_looks, victims_.size()); left > 0 && !victims_.empty();) {
    const std::size_t seat = victims_.take_front();
    worker* const victim = known.workers.at_seat(seat);
    // It may be another worker than the one that had the seat when that was noted.
    if (victim == nullptr || !victim->is(worker_stage::ready) || !victim->revocable) continue;
    const job_state* const job = known.jobs.find(known.chunks.held_by(victim->id).job);
    if (job == nullptr) continue;
    const std::size_t max = may_come_back(known, *victim, *job);
    if (victim->revocations >= max_revocations || max == 0) continue;
    if (!for_thief && job->held < known.jobs.first().held + min_lead) {
      victims_.add(seat);
      --left;
      continue;
    }
    const bool picky = for_thief && !std::exchange(victim->overdue, false);
    if (picky) watch(*victim);
    const std::size_t min = picky ? min_theft(known, *job) : 1;
    if (max < min) continue;
    known.actions.emplace_back(action::revoke{.victim = victim->id,
                                              .min = min,
                                              .unit = job->sizer.least(),
                                              .spares_next = true,
                                              .only_if_cheap = picky});
    return true;
  }
  return false;
}

// ---- overdue workers --------------------------------------------------------------------------

void stealing::watch(worker& which) {
  which.overdue_at.reset();
  watched_.add(worker_table::seat_of(which.id));
}

void stealing::rest(tables& known, time_point now) {
  watched_.remove_if([&](std::size_t seat) {
    worker* const which = known.workers.at_seat(seat);
    const ledger::chunk* const current =
        which == nullptr ? nullptr : known.chunks.current(which->id);
    if (current == nullptr) return true;
    if (!which->overdue_at) which->overdue_at = now + timing::overdue + 2 * current->expected;
    return false;
  });
}

void stealing::tick(tables& known, time_point now) {
  watched_.remove_if([&](std::size_t seat) {
    worker* const which = known.workers.at_seat(seat);
    if (which == nullptr || !which->overdue_at || *which->overdue_at > now) return false;
    which->overdue = true;
    victims_.add(seat);
    return true;
  });
}

std::optional<stealing::time_point> stealing::next_deadline(const tables& known) const {
  std::optional<time_point> first;
  watched_.for_each([&](std::size_t seat) {
    const worker* const which = known.workers.at_seat(seat);
    if (which == nullptr || !which->overdue_at) return;
    if (!first || *which->overdue_at < *first) first = which->overdue_at;
  });
  return first;
}

}  // namespace coterie::detail
