// SPDX-License-Identifier: BSL-1.0
#include "schedule/crew.hpp"

#include <coterie/detail/deadline.hpp>

namespace coterie::detail {

namespace {

departure departure_of(const worker& gone) {
  if (!gone.was_ready()) return departure::start_failed;
  if (gone.killed == kill_reason::unwanted) return departure::killed;
  return gone.stage == worker_stage::leaving ? departure::left : departure::crashed;
}

}  // namespace

crew::crew(int size, std::chrono::nanoseconds start_timeout, restart_limits restarts)
    : size_{size},
      start_timeout_{start_timeout},
      workers_{static_cast<std::size_t>(size)},
      by_rank_(static_cast<std::size_t>(size)),
      incarnations_(static_cast<std::size_t>(size)),
      restarts_{restarts} {}

void crew::fill(actions& due) {
  if (!restarts_.may_start() || workers_.size() == by_rank_.size()) return;
  for (std::size_t rank = 0; rank < by_rank_.size(); ++rank) {
    if (by_rank_[rank] != 0) continue;
    by_rank_[rank] = workers_.add(static_cast<int>(rank)).id;
    due.emplace_back(action::spawn{.worker = by_rank_[rank],
                                   .rank = static_cast<int>(rank),
                                   .incarnation = incarnations_[rank]});
  }
}

void crew::started(worker_id id, time_point now) {
  worker* const found = find(id);
  if (found == nullptr || !found->is(worker_stage::planned)) return;
  found->stage = worker_stage::starting;
  ++incarnations_[static_cast<std::size_t>(found->rank)];
  if (start_timeout_ == std::chrono::nanoseconds::zero()) return;
  found->start_deadline = deadline_after(now, start_timeout_);
  ++watched_;
}

bool crew::became_ready(worker_id id, bool revocable) {
  worker* const found = find(id);
  if (found == nullptr || !found->is(worker_stage::starting)) return false;
  found->stage = worker_stage::ready;
  found->revocable = revocable;
  stop_watching(*found);
  ++ready_;
  restarts_.succeeded();
  return true;
}

void crew::stop_watching(worker& which) noexcept {
  if (!which.start_deadline) return;
  which.start_deadline.reset();
  --watched_;
}

void crew::kill(worker& target, kill_reason why, actions& due) {
  if (target.killed != kill_reason::none) {
    // The worse is what counts: nothing that it has said of itself can be believed.
    if (why == kill_reason::broke_rules) target.killed = why;
    return;
  }
  if (target.is(worker_stage::ready)) --ready_;
  target.killed = why;
  due.emplace_back(action::kill{target.id});
}

void crew::retire(worker& target, actions& due) {
  target.stage = worker_stage::leaving;
  --ready_;
  due.emplace_back(action::stop{target.id});
}

void crew::unplan(const worker& which) noexcept {
  by_rank_[static_cast<std::size_t>(which.rank)] = 0;
  workers_.remove(which.id);
}

departure crew::remove(worker_id id, start_failure why, time_point now) {
  worker* const gone = find(id);
  if (gone == nullptr) return departure::unknown;
  const departure how = departure_of(*gone);
  if (gone->is(worker_stage::ready)) --ready_;
  stop_watching(*gone);
  unplan(*gone);
  if (how == departure::start_failed) {
    restarts_.failed(why, now);
    // Others serve on. Starts are tried again after a while.
    if (restarts_.gave_up() && ready_ > 0) restarts_.pause(now);
  } else if (empty() && !restarts_.may_start()) {
    // Starts have been failing, and the last worker is gone: without another try, what is pending
    // would wait for ever.
    restarts_.begin_anew();
  }
  return how;
}

bool crew::tick(time_point now, actions& due) {
  if (watched_ > 0) {
    for_each([&](worker& each) {
      const bool late = each.start_deadline && *each.start_deadline <= now;
      if (late && each.is(worker_stage::starting)) kill(each, kill_reason::start_timed_out, due);
    });
  }
  return restarts_.tick(now);
}

std::optional<crew::time_point> crew::next_deadline() const {
  std::optional<time_point> first = restarts_.retry_at();
  if (watched_ == 0) return first;
  for_each([&](const worker& each) {
    if (!each.is(worker_stage::starting) || !each.start_deadline) return;
    if (!first || *each.start_deadline < *first) first = each.start_deadline;
  });
  return first;
}

}  // namespace coterie::detail
