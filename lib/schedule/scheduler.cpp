// SPDX-License-Identifier: BSL-1.0

// Jobs: how they come, get on and end; and what becomes of their chunks.

#include "schedule/scheduler.hpp"

#include <algorithm>
#include <utility>

#include "schedule/bounded_time.hpp"
#include "system/invariant.hpp"

namespace coterie::detail {

scheduler::scheduler(scheduler_settings settings)
    : known_{.workers{settings.processes, settings.start_timeout, settings.restarts},
             .jobs{settings.processes, giving::max_held},
             .chunks{},
             .actions{}},
      giving_{static_cast<std::size_t>(settings.processes)},
      stealing_{static_cast<std::size_t>(settings.processes)} {
  fill();
}

// ---- jobs -------------------------------------------------------------------------------------

job_limits scheduler::add_job(job_id job, job_limits limits) {
  limits.chunksize = std::min(limits.chunksize, most_items);
  limits.window = std::min(limits.window, most_items);
  job_state* const added = known_.jobs.add(job, limits);
  if (added == nullptr) return known_.jobs.at(job).limits;
  // A call that comes after a failure is another try: what was scarce may be back.
  known_.workers.hope_again();
  fill();
  known_.jobs.refresh(job, *added);
  return limits;
}

void scheduler::drop_job(job_id job, bool kill) {
  const job_state* const dropped = known_.jobs.find(job);
  if (dropped == nullptr) return;
  const std::size_t unit = dropped->sizer.least();
  erase_job(job);
  known_.workers.for_each([&](worker& holder) {
    const ledger::chunk* const current = known_.chunks.current(holder.id);
    if (current == nullptr || current->job != job) return;
    if (kill) {
      known_.workers.kill(holder, kill_reason::unwanted, known_.actions);
    } else if (holder.revocable && holder.is(worker_stage::ready) && current->end > 0) {
      // A chunk without items is still being cut: the worker has nothing of it.
      known_.actions.emplace_back(action::revoke{.victim = holder.id,
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
  const ledger::chunk* const cut = known_.chunks.find(chunk);
  if (cut == nullptr) return;
  const job_id id = cut->job;
  worker& holder = *known_.workers.find(cut->holder);
  job_state* const job = known_.jobs.find(id);
  if (count == 0) {
    put_down(chunk);
    if (known_.chunks.current(holder.id) == nullptr) stealing_.put_down(holder);
  } else {
    const auto each = job != nullptr ? job->sizer.item_time() : std::nullopt;
    known_.chunks.fill(chunk, count,
                       each ? bounded_product(*each, count) : std::chrono::nanoseconds::zero(),
                       std::move(items));
  }
  giving_.offer(known_, holder);
  if (job == nullptr) return;
  job->cutting = false;
  job->cut += count;
  job->taken += count;
  job->unfinished += count;
  job->exhausted = job->exhausted || exhausted;
  known_.jobs.refresh(id, *job);
  finish_if_done(id);
}

void scheduler::consumed(job_id job, std::size_t count) {
  job_state* const found = known_.jobs.find(job);
  if (found == nullptr) return;
  found->taken -= std::min(count, found->taken);
  known_.jobs.refresh(job, *found);
}

bool scheduler::items_done(worker_id id, chunk_id chunk, std::size_t count) {
  if (!known_.chunks.items_done(id, chunk, count)) return false;
  finish_items(known_.chunks.at(chunk).job, count);
  return true;
}

bool scheduler::chunk_done(worker_id id, chunk_id chunk, std::chrono::nanoseconds busy) {
  worker* const holder = known_.workers.find(id);
  if (holder == nullptr || !known_.chunks.is_current(id, chunk)) return false;
  const ledger::chunk& ended = known_.chunks.at(chunk);
  if (job_state* const job = known_.jobs.find(ended.job)) {
    // A worker may leave items undone only when their job has been dropped.
    if (ended.left() > 0) return false;
    job->sizer.measured(ended.end - ended.begin, busy, !ended.shortened);
    ++job->measured;
  }
  put_down(chunk);
  stealing_.chunk_ended(known_, *holder);
  giving_.offer(known_, *holder);
  return true;
}

// The worker lets go of it for good.
void scheduler::put_down(chunk_id id) {
  const job_id owner = known_.chunks.at(id).job;
  known_.chunks.close(id);
  job_state* const job = known_.jobs.find(owner);
  if (job == nullptr) return;
  invariant(job->held > 0, "a job lost a chunk that no worker held");
  --job->held;
  known_.jobs.refresh(owner, *job);
}

void scheduler::finish_items(job_id id, std::size_t count) {
  job_state* const job = known_.jobs.find(id);
  if (job == nullptr) return;
  invariant(count <= job->unfinished, "more items have outcomes than a job has");
  job->unfinished -= count;
  if (!job->limits.held_until_consumed) {
    job->taken -= count;
    known_.jobs.refresh(id, *job);
  }
  finish_if_done(id);
}

void scheduler::finish_if_done(job_id id) {
  const job_state* const job = known_.jobs.find(id);
  if (job == nullptr || !job->is_over()) return;
  known_.actions.emplace_back(action::finish{id});
  erase_job(id);
  leave_if_idle();
}

void scheduler::erase_job(job_id id) {
  for (const chunk_id chunk : known_.jobs.at(id).unsent) known_.chunks.forget(chunk);
  known_.jobs.erase(id);
}

void scheduler::erase_all_jobs() {
  while (!known_.jobs.empty()) erase_job(known_.jobs.all().begin()->first);
}

// ---- chunks -----------------------------------------------------------------------------------

std::optional<scheduler_action> scheduler::next() {
  if (known_.actions.empty() && !giving_.give_some(known_, stealing_) &&
      !stealing_.rob(known_, giving_.any_idle(known_))) {
    return std::nullopt;
  }
  std::optional<scheduler_action> first{std::move(known_.actions.front())};
  known_.actions.pop_front();
  return first;
}

void scheduler::revoked(worker_id id, chunk_id begun, std::size_t kept) {
  worker* const victim = known_.workers.find(id);
  if (victim == nullptr || known_.chunks.current(id) == nullptr) return;
  const job_id owner = known_.chunks.held_by(id).job;
  const std::size_t held_before = known_.chunks.held_by(id).chunks.size();
  const std::deque<chunk_id> back = known_.chunks.revoke(id, begun, kept);
  if (job_state* const job = known_.jobs.find(owner)) {
    const std::size_t given_back = held_before - known_.chunks.held_by(id).chunks.size();
    invariant(given_back <= job->held, "a job lost chunks that no worker held");
    job->held -= given_back;
    put_back(*job, back);
    known_.jobs.refresh(owner, *job);
  } else {
    for (const chunk_id each : back) known_.chunks.forget(each);
  }
  stealing_.revoked(known_, *victim);
  if (known_.chunks.current(id) == nullptr) return giving_.offer(known_, *victim);
  // It has less to do than the others.
  giving_.offer_first(*victim);
}

// A stream waits for what came first.
void scheduler::put_back(job_state& job, const std::deque<chunk_id>& chunks) {
  const auto place = [this](chunk_id id) { return known_.chunks.at(id).next_item(); };
  for (const chunk_id each : chunks) {
    job.unsent.insert(std::ranges::upper_bound(job.unsent, place(each), {}, place), each);
  }
}

}  // namespace coterie::detail
