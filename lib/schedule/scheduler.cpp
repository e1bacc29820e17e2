// SPDX-License-Identifier: BSL-1.0

// Jobs: how they come, get on and end. And the end of all of them.

#include "schedule/scheduler.hpp"

#include <algorithm>
#include <utility>

#include "schedule/bounded_time.hpp"

namespace coterie::detail {

scheduler::scheduler(scheduler_settings settings)
    : settings_{settings},
      slots_(static_cast<std::size_t>(settings.processes)),
      idle_{settings.processes},
      hungry_{settings.processes},
      givers_{settings.processes},
      slow_givers_{settings.processes},
      restarts_{settings.restarts} {
  fill_empty_slots();
}

job_limits scheduler::add_job(job_id job, job_limits limits) {
  limits.chunksize = std::min(limits.chunksize, most_items);
  limits.window = std::min(limits.window, most_items);
  auto [entry, inserted] = jobs_.try_emplace(job, limits, settings_.processes);
  if (!inserted) return entry->second.limits;
  // Before who was served last: that it has to wait for.
  entry->second.turn = turns_ - 1;
  // Whoever asks for work after a failure asks for another try: what was scarce may be back.
  if (alive_count_ == 0 && restarts_.gave_up()) restarts_.begin_anew();
  fill_empty_slots();
  refresh(job, entry->second);
  return limits;
}

void scheduler::drop_job(job_id job, bool kill) {
  const auto entry = jobs_.find(job);
  if (entry == jobs_.end()) return;
  const std::size_t unit = entry->second.sizer.least();
  erase_job(job);
  for (int rank = 0; rank < settings_.processes; ++rank) {
    const slot& holder = at(rank);
    if (holder.held.empty() || holder.job != job) continue;
    if (kill) {
      doom(rank);
    } else if (holder.takes_back && holder.state == slot_state::ready &&
               chunks_.at(holder.held.front()).count > 0) {
      // A chunk without items is still being cut: the worker has nothing of it.
      actions_.emplace_back(action::take_back{
          .rank = rank, .least = 1, .unit = unit, .spares_next = false, .only_if_cheap = false});
    }
  }
  leave_if_idle();
}

void scheduler::cut_done(chunk_id chunk, std::size_t count, bool exhausted) {
  const auto found = chunks_.find(chunk);
  if (found == chunks_.end()) return;
  chunk_state& cut = found->second;
  const job_id id = cut.job;
  const int rank = cut.rank;
  slot& holder = at(rank);

  const auto entry = jobs_.find(id);
  if (count == 0) {
    put_down(holder, std::ranges::find(holder.held, chunk));
    offer(rank);
  } else {
    cut.count = count;
    if (entry != jobs_.end()) {
      if (const auto each = entry->second.sizer.item_time()) {
        cut.expected = bounded_product(*each, count);
        holder.expected += cut.expected;
      }
    }
    offer(rank);
  }
  if (entry == jobs_.end()) return;
  job_state& job = entry->second;
  job.cutting = false;
  job.cut += count;
  job.taken += count;
  job.unfinished += count;
  job.exhausted = job.exhausted || exhausted;
  refresh(id, job);
  finish_if_done(id);
}

void scheduler::consumed(job_id job, std::size_t count) {
  const auto entry = jobs_.find(job);
  if (entry == jobs_.end()) return;
  entry->second.taken -= std::min(count, entry->second.taken);
  refresh(job, entry->second);
}

bool scheduler::items_done(int rank, chunk_id chunk, std::size_t count) {
  slot& holder = at(rank);
  if (holder.held.empty() || holder.held.front() != chunk) return false;
  chunk_state& running = chunks_.at(chunk);
  if (count > running.count - running.done) return false;
  running.done += count;
  finish_items(running.job, count);
  return true;
}

bool scheduler::chunk_done(int rank, chunk_id chunk, std::chrono::nanoseconds busy) {
  slot& holder = at(rank);
  if (holder.held.empty() || holder.held.front() != chunk) return false;
  const chunk_state ended = chunks_.at(chunk);
  const auto entry = jobs_.find(ended.job);
  // A worker may leave items undone only when nobody wants them any more.
  if (entry != jobs_.end() && ended.done != ended.count) return false;
  if (entry != jobs_.end()) {
    entry->second.sizer.measured(ended.count - ended.done_before, busy, !ended.shortened);
    ++entry->second.measured;
  }
  put_down(holder, holder.held.begin());
  holder.times_taken = 0;
  holder.is_slow = false;
  holder.slow_at.reset();
  offer(rank);
  return true;
}

void scheduler::close() {
  closing_ = true;
  leave_if_idle();
  report_if_gone();
}

void scheduler::terminate() {
  closing_ = true;
  terminated_ = true;
  restarts_.stop_waiting();
  runnable_.clear();
  jobs_.clear();
  // What was due for jobs is due no more. Who was to be killed still is.
  std::erase_if(actions_, [](const scheduler_action& each) {
    return !std::holds_alternative<action::kill>(each) &&
           !std::holds_alternative<action::all_gone>(each);
  });
  for (int rank = 0; rank < settings_.processes; ++rank) {
    slot& which = at(rank);
    if (which.state == slot_state::spawning) {
      empty_slot(which);
    } else if (which.state != slot_state::empty) {
      doom(rank);
      lose_chunks(which, rank, 0);
    }
  }
  report_if_gone();
}

std::optional<scheduler_action> scheduler::next() {
  if (actions_.empty() && !assign()) return std::nullopt;
  scheduler_action first = actions_.front();
  actions_.pop_front();
  return first;
}

void scheduler::put_down(slot& holder, std::deque<chunk_id>::iterator which) {
  const auto found = chunks_.find(*which);
  const chunk_state chunk = found->second;
  holder.expected -= chunk.expected;
  holder.held.erase(which);
  if (holder.held.empty()) set_makes_way(holder, false);
  chunks_.erase(found);
  if (const auto entry = jobs_.find(chunk.job); entry != jobs_.end()) {
    --entry->second.chunks;
    refresh(chunk.job, entry->second);
  }
}

void scheduler::finish_items(job_id id, std::size_t count) {
  const auto entry = jobs_.find(id);
  if (entry == jobs_.end()) return;
  job_state& job = entry->second;
  job.unfinished -= count;
  if (!job.limits.held_until_consumed) {
    job.taken -= count;
    refresh(id, job);
  }
  finish_if_done(id);
}

void scheduler::finish_if_done(job_id id) {
  const auto entry = jobs_.find(id);
  if (entry == jobs_.end()) return;
  const job_state& job = entry->second;
  if (!job.exhausted || job.unfinished > 0 || job.cutting) return;
  actions_.emplace_back(action::finish{id});
  erase_job(id);
  leave_if_idle();
}

void scheduler::erase_job(job_id id) {
  const auto entry = jobs_.find(id);
  job_state& job = entry->second;
  if (job.place) runnable_.erase(*job.place);
  for (const chunk_id chunk : job.unsent) chunks_.erase(chunk);
  jobs_.erase(entry);
}

}  // namespace coterie::detail
