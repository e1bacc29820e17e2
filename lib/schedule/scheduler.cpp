// SPDX-License-Identifier: BSL-1.0

// Jobs: how they come, get on and end; and which worker is given what.

#include "schedule/scheduler.hpp"

#include <algorithm>
#include <utility>

#include "schedule/bounded_time.hpp"
#include "timing/timing.hpp"

namespace coterie::detail {

scheduler::scheduler(scheduler_settings settings)
    : crew_{settings.processes, settings.start_timeout, settings.restarts},
      jobs_{settings.processes, max_held},
      idle_{static_cast<std::size_t>(settings.processes)},
      prefetchers_{static_cast<std::size_t>(settings.processes)},
      victims_{static_cast<std::size_t>(settings.processes)},
      watched_{static_cast<std::size_t>(settings.processes)} {
  fill();
}

// ---- jobs -------------------------------------------------------------------------------------

job_limits scheduler::add_job(job_id job, job_limits limits) {
  limits.chunksize = std::min(limits.chunksize, most_items);
  limits.window = std::min(limits.window, most_items);
  job_state* const added = jobs_.add(job, limits);
  if (added == nullptr) return jobs_.at(job).limits;
  // A call that comes after a failure is another try: what was scarce may be back.
  crew_.hope_again();
  fill();
  jobs_.refresh(job, *added);
  return limits;
}

void scheduler::drop_job(job_id job, bool kill) {
  const job_state* const dropped = jobs_.find(job);
  if (dropped == nullptr) return;
  const std::size_t unit = dropped->sizer.least();
  erase_job(job);
  crew_.for_each([&](worker& holder) {
    const ledger::chunk* const current = ledger_.current(holder.id);
    if (current == nullptr || current->job != job) return;
    if (kill) {
      crew_.kill(holder, kill_reason::unwanted, actions_);
    } else if (holder.revocable && holder.is(worker_stage::ready) && current->end > 0) {
      // A chunk without items is still being cut: the worker has nothing of it.
      actions_.emplace_back(action::revoke{.victim = holder.id,
                                           .min = 1,
                                           .unit = unit,
                                           .spares_next = false,
                                           .only_if_cheap = false});
    }
  });
  leave_if_idle();
}

void scheduler::cut_done(chunk_id chunk, std::size_t count, bool exhausted,
                         std::shared_ptr<const byte_buffer> items) {
  const ledger::chunk* const cut = ledger_.find(chunk);
  if (cut == nullptr) return;
  const job_id id = cut->job;
  const worker& holder = *crew_.find(cut->holder);
  job_state* const job = jobs_.find(id);
  if (count == 0) {
    put_down(holder, chunk);
  } else {
    const auto each = job != nullptr ? job->sizer.item_time() : std::nullopt;
    ledger_.fill(chunk, count,
                 each ? bounded_product(*each, count) : std::chrono::nanoseconds::zero(),
                 std::move(items));
  }
  offer(holder);
  if (job == nullptr) return;
  job->cutting = false;
  job->cut += count;
  job->taken += count;
  job->unfinished += count;
  job->exhausted = job->exhausted || exhausted;
  jobs_.refresh(id, *job);
  finish_if_done(id);
}

void scheduler::consumed(job_id job, std::size_t count) {
  job_state* const found = jobs_.find(job);
  if (found == nullptr) return;
  found->taken -= std::min(count, found->taken);
  jobs_.refresh(job, *found);
}

bool scheduler::items_done(worker_id id, chunk_id chunk, std::size_t count) {
  if (!ledger_.items_done(id, chunk, count)) return false;
  finish_items(ledger_.at(chunk).job, count);
  return true;
}

bool scheduler::chunk_done(worker_id id, chunk_id chunk, std::chrono::nanoseconds busy) {
  worker* const holder = crew_.find(id);
  if (holder == nullptr || !ledger_.is_current(id, chunk)) return false;
  const ledger::chunk& ended = ledger_.at(chunk);
  if (job_state* const job = jobs_.find(ended.job)) {
    // A worker may leave items undone only when their job has been dropped.
    if (ended.left() > 0) return false;
    job->sizer.measured(ended.end - ended.begin, busy, !ended.shortened);
    ++job->measured;
  }
  put_down(*holder, chunk);
  holder->revocations = 0;
  holder->overdue = false;
  holder->overdue_at.reset();
  offer(*holder);
  return true;
}

// The worker lets go of it for good.
void scheduler::put_down(const worker& holder, chunk_id id) {
  const job_id owner = ledger_.at(id).job;
  ledger_.close(id);
  if (ledger_.current(holder.id) == nullptr) set_preempted(*crew_.find(holder.id), false);
  job_state* const job = jobs_.find(owner);
  if (job == nullptr) return;
  --job->held;
  jobs_.refresh(owner, *job);
}

void scheduler::finish_items(job_id id, std::size_t count) {
  job_state* const job = jobs_.find(id);
  if (job == nullptr) return;
  job->unfinished -= count;
  if (!job->limits.held_until_consumed) {
    job->taken -= count;
    jobs_.refresh(id, *job);
  }
  finish_if_done(id);
}

void scheduler::finish_if_done(job_id id) {
  const job_state* const job = jobs_.find(id);
  if (job == nullptr || !job->is_over()) return;
  actions_.emplace_back(action::finish{id});
  erase_job(id);
  leave_if_idle();
}

void scheduler::erase_job(job_id id) {
  for (const chunk_id chunk : jobs_.at(id).unsent) ledger_.forget(chunk);
  jobs_.erase(id);
}

void scheduler::erase_all_jobs() {
  while (!jobs_.empty()) erase_job(jobs_.all().begin()->first);
}

// ---- giving -----------------------------------------------------------------------------------

std::optional<scheduler_action> scheduler::next() {
  if (actions_.empty() && !assign()) return std::nullopt;
  std::optional<scheduler_action> first{std::move(actions_.front())};
  actions_.pop_front();
  return first;
}

// Whether there is something to be done.
bool scheduler::assign() {
  while (!idle_.empty() && !jobs_.none_waits()) {
    worker* const to = crew_.at_seat(idle_.take_front());
    if (to == nullptr || !to->is(worker_stage::ready)) continue;
    if (ledger_.current(to->id) != nullptr) continue;
    give(*to, jobs_.first().job);
    return true;
  }
  return prefetch() || rob();
}

// No worker is idle. Those that run the job whose turn it is may hold more of it; the others drain, so
// that they are free for it soon. A few are looked at, then the next event looks further.
bool scheduler::prefetch() {
  if (jobs_.none_waits()) return false;
  for (std::size_t look = std::min(looks, prefetchers_.size()); look > 0; --look) {
    const std::size_t seat = prefetchers_.take_front();
    worker* const to = crew_.at_seat(seat);
    if (to == nullptr || ledger_.current(to->id) == nullptr || !has_room(*to)) continue;
    const job_id first = jobs_.first().job;
    if (ledger_.current(to->id)->job == first) {
      give(*to, first);
      return true;
    }
    prefetchers_.add(seat);
  }
  return false;
}

bool scheduler::has_room(const worker& which) const {
  if (!which.is(worker_stage::ready)) return false;
  const ledger::holding& held = ledger_.held_by(which.id);
  if (held.chunks.empty()) return true;
  const auto job = jobs_.all().find(held.job);
  if (job == jobs_.all().end() || held.chunks.size() >= max_held) return false;
  if (which.revocable && which.revocations < max_revocations) return true;
  // One quick item says little of those behind it, and what waits behind a slow one cannot be revoked:
  // a worker may hold as many more as each worker, on average, has shown to be quick.
  const auto workers = static_cast<std::size_t>(crew_.size());
  return held.chunks.size() <= job->second.measured / workers && held.expected < timing::prefetch;
}

void scheduler::offer(const worker& which) {
  if (!has_room(which)) return;
  const bool is_idle = ledger_.current(which.id) == nullptr;
  (is_idle ? idle_ : prefetchers_).add(worker_table::seat_of(which.id));
}

void scheduler::give(worker& to, job_id id) {
  job_state& job = jobs_.at(id);
  jobs_.serve(job);
  ++job.held;
  set_preempted(to, false);
  to.overdue = false;
  // The worker that was given something longest ago is the first victim: it ends what it runs first, where
  // items are alike.
  if (to.revocable) victims_.add_at_end(worker_table::seat_of(to.id));
  if (!job.unsent.empty()) {
    resend(to, job);
    jobs_.refresh(id, job);
    offer(to);
    return;
  }
  const std::size_t max = jobs_.next_size(job);
  job.cutting = true;
  jobs_.refresh(id, job);
  actions_.emplace_back(action::cut{.worker = to.id,
                                    .job = id,
                                    .chunk = ledger_.open(id, to.id, job.cut),
                                    .min = job.sizer.least(),
                                    .max = max});
}

// What was sent before, or is left of it.
void scheduler::resend(const worker& to, job_state& job) {
  const chunk_id chunk = job.unsent.front();
  job.unsent.pop_front();
  // The last that there is to be given now is for two.
  if (!jobs_.can_give(job)) {
    const ledger::chunk& last = ledger_.at(chunk);
    const std::size_t least = job.sizer.least();
    const std::size_t half = (last.done + (last.left() + 1) / 2 + least - 1) / least * least;
    if (last.left() > min_theft_of(job) && half < last.end) {
      job.unsent.push_back(ledger_.split(chunk, half));
    }
  }
  ledger_.give(chunk, to.id);
  actions_.emplace_back(action::resend{.worker = to.id, .chunk = chunk});
}

}  // namespace coterie::detail
