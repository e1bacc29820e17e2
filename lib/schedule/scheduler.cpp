// SPDX-License-Identifier: BSL-1.0
#include "schedule/scheduler.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace coterie::detail {

scheduler::scheduler(scheduler_settings settings)
    : settings_{settings}, slots_(static_cast<std::size_t>(settings.processes)) {
  fill_empty_slots();
}

// ---- jobs -------------------------------------------------------------------------------------

void scheduler::add_job(job_id job, job_limits limits) {
  auto [entry, inserted] = jobs_.try_emplace(job, limits);
  if (!inserted) return;
  entry->second.turn = ++turns_;
  // Whoever asks for work after a failure asks for another try: what was scarce may be back.
  if (alive_count_ == 0) failed_starts_ = 0;
  fill_empty_slots();
  refresh(job, entry->second);
}

void scheduler::drop_job(job_id job, bool kill) {
  if (!jobs_.contains(job)) return;
  erase_job(job);
  if (kill) {
    for (int rank = 0; rank < settings_.processes; ++rank) {
      const slot& holder = at(rank);
      if (!holder.held.empty() && holder.job == job) doom(rank);
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
        cut.expected = *each * static_cast<std::chrono::nanoseconds::rep>(count);
        holder.expected += cut.expected;
      }
    }
    offer(rank);
  }
  if (entry == jobs_.end()) return;
  job_state& job = entry->second;
  job.cutting = false;
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

// ---- workers ----------------------------------------------------------------------------------

void scheduler::started(int rank, time_point now) {
  slot& which = at(rank);
  if (which.state != slot_state::spawning) return;
  which.state = slot_state::starting;
  if (settings_.start_timeout > std::chrono::nanoseconds::zero()) {
    which.start_deadline = now + settings_.start_timeout;
    ++starting_count_;
  }
}

void scheduler::ready(int rank) {
  slot& which = at(rank);
  if (which.state != slot_state::starting) return;
  which.state = slot_state::ready;
  which.was_ready = true;
  if (which.start_deadline) {
    which.start_deadline.reset();
    --starting_count_;
  }
  ++ready_count_;
  failed_starts_ = 0;
  retry_at_.reset();
  retry_delay_ = retry_after;
  fill_empty_slots();
  offer(rank);
  leave_if_idle();
}

void scheduler::exited(int rank, time_point now, std::size_t begun) {
  slot& which = at(rank);
  if (which.state == slot_state::empty) return;
  // From here on nobody must take it for a worker that could be given or told anything.
  if (which.state == slot_state::ready) --ready_count_;
  which.state = slot_state::doomed;
  lose_chunks(which, rank, begun);
  const bool was_ready = which.was_ready;
  empty_slot(which);
  if (!was_ready) {
    start_failed(now);
  } else {
    // The last of them is gone, and starts have been failing: without another try, what is
    // pending would wait for ever.
    if (alive_count_ == 0) failed_starts_ = 0;
    fill_empty_slots();
  }
  leave_if_idle();
  report_if_gone();
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
  if (entry != jobs_.end()) entry->second.sizer.measured(ended.count, busy);
  put_down(holder, holder.held.begin());
  offer(rank);
  return true;
}

void scheduler::condemn(int rank) {
  const slot_state state = at(rank).state;
  if (state != slot_state::empty && state != slot_state::spawning) doom(rank);
}

// ---- the pool ---------------------------------------------------------------------------------

void scheduler::close() {
  closing_ = true;
  leave_if_idle();
  report_if_gone();
}

void scheduler::terminate() {
  closing_ = true;
  terminated_ = true;
  retry_at_.reset();
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

void scheduler::tick(time_point now) {
  if (starting_count_ > 0) {
    for (int rank = 0; rank < settings_.processes; ++rank) {
      const slot& which = at(rank);
      if (which.state == slot_state::starting && which.start_deadline &&
          *which.start_deadline <= now) {
        doom(rank);
      }
    }
  }
  if (retry_at_ && *retry_at_ <= now) {
    retry_at_.reset();
    failed_starts_ = 0;
    fill_empty_slots();
  }
}

bool scheduler::wants(int rank) const {
  return slots_.at(static_cast<std::size_t>(rank)).state == slot_state::spawning;
}

bool scheduler::holds_work(int rank) const {
  return !slots_.at(static_cast<std::size_t>(rank)).held.empty();
}

std::optional<scheduler::time_point> scheduler::next_deadline() const {
  std::optional<time_point> first = retry_at_;
  if (starting_count_ > 0) {
    for (const slot& which : slots_) {
      if (which.state == slot_state::starting && which.start_deadline &&
          (!first || *which.start_deadline < *first)) {
        first = which.start_deadline;
      }
    }
  }
  return first;
}

std::optional<scheduler_action> scheduler::next() {
  if (actions_.empty()) return assign();
  scheduler_action first = actions_.front();
  actions_.pop_front();
  return first;
}

// ---- giving out work --------------------------------------------------------------------------

std::size_t scheduler::window_of(const job_state& job) const {
  if (job.limits.window != 0) return job.limits.window;
  if (!job.limits.held_until_consumed) return std::numeric_limits<std::size_t>::max();
  // Room for each worker to run a chunk, hold a few, and have as many waiting to be read.
  const auto workers = static_cast<std::size_t>(settings_.processes);
  return std::clamp(8 * workers * job.sizer.next(), smallest_window,
                    std::max(smallest_window, largest_window_each * workers));
}

bool scheduler::can_give(const job_state& job) const {
  if (!job.unsent.empty()) return true;
  return !job.exhausted && !job.cutting && job.taken < window_of(job);
}

bool scheduler::has_room(const slot& which) const {
  if (which.state != slot_state::ready) return false;
  if (which.held.empty()) return true;
  // Filled up once, it is left to work off half of that: one message then brings many chunks.
  const int share = which.filled ? 2 : 1;
  if (which.held.size() >= most_held / static_cast<std::size_t>(share)) return false;
  const auto entry = jobs_.find(which.job);
  if (entry == jobs_.end() || !entry->second.sizer.item_time()) return false;
  return which.expected < lookahead / share || (which.held.size() == 1 && which.expected < soon);
}

void scheduler::refresh(job_id id, job_state& job) {
  if (job.place) {
    runnable_.erase(*job.place);
    job.place.reset();
  }
  if (!can_give(job)) return;
  job.place = place_in_turn{job.chunks, job.turn, id};
  runnable_.insert(*job.place);
}

void scheduler::offer(int rank) {
  slot& which = at(rank);
  which.filled = !has_room(which);
  if (which.filled) return;
  if (which.held.empty()) {
    if (!std::exchange(which.in_idle, true)) idle_.push_back(rank);
  } else {
    if (!std::exchange(which.in_hungry, true)) hungry_.push_back(rank);
  }
}

std::optional<scheduler_action> scheduler::assign() {
  while (!idle_.empty() && !runnable_.empty()) {
    const int rank = idle_.front();
    idle_.pop_front();
    slot& which = at(rank);
    which.in_idle = false;
    if (which.state == slot_state::ready && which.held.empty()) {
      return give(rank, runnable_.begin()->job);
    }
  }
  if (runnable_.empty()) return std::nullopt;

  // Nobody is free. Those who run the job whose turn it is may hold more of it; the others drain,
  // so that they are free for it soon. A few are looked at, then the next event looks further.
  constexpr std::size_t looks = 8;
  for (std::size_t look = std::min(looks, hungry_.size()); look > 0; --look) {
    const int rank = hungry_.front();
    hungry_.pop_front();
    slot& which = at(rank);
    which.in_hungry = false;
    if (which.held.empty() || !has_room(which)) continue;
    const job_id first = runnable_.begin()->job;
    if (which.job == first) return give(rank, first);
    which.in_hungry = true;
    hungry_.push_back(rank);
  }
  return std::nullopt;
}

scheduler_action scheduler::give(int rank, job_id id) {
  job_state& job = jobs_.at(id);
  slot& which = at(rank);
  job.turn = ++turns_;
  ++job.chunks;
  which.job = id;

  if (!job.unsent.empty()) {
    const chunk_id chunk = job.unsent.front();
    job.unsent.pop_front();
    chunk_state& again = chunks_.at(chunk);
    again.rank = rank;
    which.held.push_back(chunk);
    which.expected += again.expected;
    refresh(id, job);
    offer(rank);
    return action::resend{rank, chunk};
  }

  const chunk_id chunk = ++last_chunk_;
  chunks_.emplace(chunk, chunk_state{.job = id, .rank = rank});
  which.held.push_back(chunk);
  const std::size_t most = std::min(job.sizer.next(), window_of(job) - job.taken);
  job.cutting = true;
  refresh(id, job);
  return action::cut{rank, id, chunk, most};
}

// ---- finishing --------------------------------------------------------------------------------

void scheduler::put_down(slot& holder, std::deque<chunk_id>::iterator which) {
  const auto found = chunks_.find(*which);
  const chunk_state chunk = found->second;
  holder.expected -= chunk.expected;
  holder.held.erase(which);
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

void scheduler::lose_chunks(slot& dead, int rank, std::size_t begun) {
  auto held = std::exchange(dead.held, {});
  dead.expected = {};
  const auto entry = jobs_.find(dead.job);
  if (entry == jobs_.end()) {
    for (const chunk_id chunk : held) chunks_.erase(chunk);
    return;
  }
  if (held.empty()) return;

  job_state& job = entry->second;
  job.chunks -= held.size();
  std::size_t lost = 0;
  for (; begun > 0 && !held.empty(); --begun) {
    const auto crashed = chunks_.find(held.front());
    lost += crashed->second.count - crashed->second.done;
    actions_.emplace_back(action::crash{rank, held.front()});
    chunks_.erase(crashed);
    held.pop_front();
  }
  // What was behind comes before what was orphaned earlier, as it did in the input.
  job.unsent.insert(job.unsent.begin(), held.begin(), held.end());
  refresh(dead.job, job);
  finish_items(dead.job, lost);
}

// ---- starting and leaving ---------------------------------------------------------------------

void scheduler::doom(int rank) {
  slot& which = at(rank);
  if (which.state == slot_state::doomed) return;
  if (which.state == slot_state::ready) --ready_count_;
  which.state = slot_state::doomed;
  actions_.emplace_back(action::kill{rank});
}

void scheduler::empty_slot(slot& which) {
  if (which.state == slot_state::ready) --ready_count_;
  if (which.start_deadline) --starting_count_;
  which.start_deadline.reset();
  which.state = slot_state::empty;
  which.was_ready = false;
  which.job = 0;
  --alive_count_;
}

void scheduler::fill_empty_slots() {
  if (terminated_ || failed_starts_ >= start_attempts) return;
  if (closing_ && jobs_.empty()) return;
  if (alive_count_ == settings_.processes) return;
  for (int rank = 0; rank < settings_.processes; ++rank) {
    slot& which = at(rank);
    if (which.state != slot_state::empty) continue;
    which.state = slot_state::spawning;
    ++alive_count_;
    actions_.emplace_back(action::spawn{rank});
  }
}

void scheduler::start_failed(time_point now) {
  ++failed_starts_;
  if (failed_starts_ < start_attempts) {
    fill_empty_slots();
  } else if (alive_count_ == 0) {
    retry_at_.reset();
    for (auto entry = jobs_.begin(); entry != jobs_.end(); entry = jobs_.begin()) {
      erase_job(entry->first);
    }
    actions_.emplace_back(action::give_up{});
  } else if (ready_count_ > 0 && !retry_at_) {
    retry_at_ = now + retry_delay_;
    retry_delay_ = std::min(2 * retry_delay_, longest_retry);
  }
}

void scheduler::leave_if_idle() {
  if (!closing_ || terminated_ || !jobs_.empty()) return;
  retry_at_.reset();
  for (int rank = 0; rank < settings_.processes; ++rank) {
    slot& which = at(rank);
    if (which.state == slot_state::spawning) {
      empty_slot(which);
    } else if (which.state == slot_state::ready) {
      which.state = slot_state::stopping;
      --ready_count_;
      actions_.emplace_back(action::stop{rank});
    }
  }
  report_if_gone();
}

void scheduler::report_if_gone() {
  if (gone_ || !closing_ || !jobs_.empty() || alive_count_ > 0) return;
  gone_ = true;
  actions_.emplace_back(action::all_gone{});
}

}  // namespace coterie::detail
