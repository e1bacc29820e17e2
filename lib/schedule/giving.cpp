// SPDX-License-Identifier: BSL-1.0
#include "schedule/giving.hpp"

#include <algorithm>

#include "timing/timing.hpp"

namespace coterie::detail {

namespace {

// So many workers are looked at for one that can be given more; the next event looks further.
constexpr std::size_t max_looks = 8;

}  // namespace

// ---- which workers could take something -------------------------------------------------------

bool giving::has_room(const tables& known, const worker& which) {
  if (!which.is(worker_stage::ready)) return false;
  const ledger::holding& held = known.chunks.held_by(which.id);
  if (held.chunks.empty()) return true;
  const job_state* const job = known.jobs.find(held.job);
  if (job == nullptr || held.chunks.size() >= max_held) return false;
  if (which.revocable && which.revocations < stealing::max_revocations) return true;
  // One quick item says little of those behind it, and what waits behind a slow one cannot be
  // revoked: a worker may hold as many more as each worker, on average, has shown to be quick.
  const auto workers = static_cast<std::size_t>(known.workers.size());
  return held.chunks.size() <= job->measured / workers && held.expected < timing::prefetch;
}

void giving::offer(const tables& known, const worker& which) {
  if (!has_room(known, which)) return;
  const bool is_idle = known.chunks.current(which.id) == nullptr;
  (is_idle ? idle_ : prefetchers_).add(worker_table::seat_of(which.id));
}

void giving::offer_first(const worker& which) {
  prefetchers_.add_in_front(worker_table::seat_of(which.id));
}

bool giving::any_idle(const tables& known) {
  for (; !idle_.empty(); idle_.take_front()) {
    const worker* const first = known.workers.at_seat(idle_.front());
    if (first == nullptr || !first->is(worker_stage::ready)) continue;
    if (known.chunks.current(first->id) == nullptr) return true;
  }
  return false;
}

// ---- giving -----------------------------------------------------------------------------------

bool giving::give_some(tables& known, stealing& thefts) {
  while (!idle_.empty() && !known.jobs.none_waits()) {
    worker* const to = known.workers.at_seat(idle_.take_front());
    if (to == nullptr || !to->is(worker_stage::ready)) continue;
    if (known.chunks.current(to->id) != nullptr) continue;
    give(known, thefts, *to, known.jobs.first().job);
    return true;
  }
  return prefetch(known, thefts);
}

// No worker is idle. Those that run the job whose turn it is may hold more of it; the others drain,
// so that they are free for it soon. A few are looked at, then the next event looks further.
bool giving::prefetch(tables& known, stealing& thefts) {
  if (known.jobs.none_waits()) return false;
  for (std::size_t look = std::min(max_looks, prefetchers_.size()); look > 0; --look) {
    const std::size_t seat = prefetchers_.take_front();
    worker* const to = known.workers.at_seat(seat);
    if (to == nullptr || known.chunks.current(to->id) == nullptr || !has_room(known, *to)) continue;
    const job_id first = known.jobs.first().job;
    if (known.chunks.current(to->id)->job == first) {
      give(known, thefts, *to, first);
      return true;
    }
    prefetchers_.add(seat);
  }
  return false;
}

void giving::give(tables& known, stealing& thefts, worker& to, job_id id) {
  job_state& job = known.jobs.at(id);
  known.jobs.serve(job);
  ++job.held;
  thefts.given(to);
  if (!job.unsent.empty()) {
    resend(known, to, job);
    known.jobs.refresh(id, job);
    offer(known, to);
    return;
  }
  const std::size_t max = known.jobs.next_size(job);
  job.cutting = true;
  known.jobs.refresh(id, job);
  known.actions.emplace_back(action::cut{.worker = to.id,
                                         .job = id,
                                         .chunk = known.chunks.open(id, to.id, job.cut),
                                         .min = job.sizer.least(),
                                         .max = max});
}

// What was sent before, or is left of it.
void giving::resend(tables& known, const worker& to, job_state& job) {
  const chunk_id chunk = job.unsent.front();
  job.unsent.erase(job.unsent.begin());
  // The last that there is to be given now is for two.
  if (!known.jobs.can_give(job)) {
    const ledger::chunk& last = known.chunks.at(chunk);
    const std::size_t least = job.sizer.least();
    const std::size_t half = (last.done + (last.left() + 1) / 2 + least - 1) / least * least;
    if (last.left() > stealing::min_theft(known, job) && half < last.end) {
      job.unsent.push_back(known.chunks.split(chunk, half));
    }
  }
  known.chunks.give(chunk, to.id);
  known.actions.emplace_back(action::resend{.worker = to.id, .chunk = chunk});
}

}  // namespace coterie::detail
