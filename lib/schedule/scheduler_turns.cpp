// SPDX-License-Identifier: BSL-1.0

// Whose turn it is, who has room for more, and how much is given.

#include <algorithm>
#include <limits>

#include "schedule/scheduler.hpp"

namespace coterie::detail {

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
  const auto entry = jobs_.find(which.job);
  if (entry == jobs_.end() || which.held.size() >= most_held) return false;
  if (which.takes_back && which.times_taken < most_taken) return true;
  // One quick item says little of those behind it, and what waits behind a slow one cannot be taken
  // back: a worker may hold as many more as each worker, on average, has shown to be quick.
  const auto workers = static_cast<std::size_t>(settings_.processes);
  return which.held.size() <= entry->second.measured / workers && which.expected < soon;
}

void scheduler::refresh(job_id id, job_state& job) {
  std::optional<place_in_turn> place;
  if (can_give(job)) place = place_in_turn{job.chunks, job.turn, id};
  if (place == job.place) return;
  if (job.place) runnable_.erase(*job.place);
  if (place) runnable_.insert(*place);
  job.place = place;
}

void scheduler::offer(int rank) {
  slot& which = at(rank);
  if (!has_room(which)) return;
  (which.held.empty() ? idle_ : hungry_).add(rank);
}

// Whether there is something to be done.
bool scheduler::assign() {
  while (!idle_.empty() && !runnable_.empty()) {
    const int rank = idle_.take_front();
    const slot& which = at(rank);
    if (which.state != slot_state::ready || !which.held.empty()) continue;
    give(rank, runnable_.begin()->job);
    return true;
  }
  return give_to_hungry() || ask_back();
}

// Nobody is free. Those who run the job whose turn it is may hold more of it; the others drain, so that
// they are free for it soon. A few are looked at, then the next event looks further.
bool scheduler::give_to_hungry() {
  if (runnable_.empty()) return false;
  for (std::size_t look = std::min(looks, hungry_.size()); look > 0; --look) {
    const int rank = hungry_.take_front();
    const slot& which = at(rank);
    if (which.held.empty() || !has_room(which)) continue;
    const job_id first = runnable_.begin()->job;
    if (which.job == first) {
      give(rank, first);
      return true;
    }
    hungry_.add(rank);
  }
  return false;
}

void scheduler::give(int rank, job_id id) {
  job_state& job = jobs_.at(id);
  slot& which = at(rank);
  job.turn = turns_ += 2;  // leaves one between, for those who come
  ++job.chunks;
  which.job = id;
  set_makes_way(which, false);
  which.is_slow = false;
  // Who was given something longest ago is the first to be asked: it ends what it runs first, where items
  // are alike.
  if (which.takes_back) givers_.add_at_end(rank);
  if (!job.unsent.empty()) {
    resend(rank, job);
    refresh(id, job);
    offer(rank);
    return;
  }

  const chunk_id chunk = ++last_chunk_;
  chunks_.emplace(chunk, chunk_state{.job = id, .rank = rank, .first = job.cut});
  which.held.push_back(chunk);
  const std::size_t most = next_size(job);
  job.cutting = true;
  refresh(id, job);
  actions_.emplace_back(action::cut{rank, id, chunk, most});
}

std::size_t scheduler::next_size(const job_state& job) const {
  const std::size_t window = window_of(job);
  const std::size_t most = std::min(job.sizer.next(), window - job.taken);
  // A narrow window has to do for all workers, each of which may hold two chunks.
  const std::size_t shares = most_held * static_cast<std::size_t>(settings_.processes);
  return std::min(most, std::max(window / shares, job.sizer.least()));
}

}  // namespace coterie::detail
