// SPDX-License-Identifier: BSL-1.0

// What comes back: asked of workers, taken from them, and given again.

#include <algorithm>
#include <utility>

#include "schedule/bounded_time.hpp"
#include "schedule/scheduler.hpp"

namespace coterie::detail {

namespace {

// A job is made way for by one that has so many more chunks under way: with one less and one more, it is not
// the other way round.
constexpr std::size_t least_lead = 2;

}  // namespace

// Somebody has nothing to do, or a job waits. Each worker is asked once for what it was given last, and once
// more if it does not get on.
bool scheduler::ask_back() {
  const bool to_share = runnable_.empty();
  // A stream asks this for each result that is taken from it; a job does not make way for itself.
  if (!to_share && jobs_.size() < 2) return false;
  if (to_share ? nobody_idle() : enough_make_way()) return false;
  for (std::size_t left = std::min(looks, givers_.size()); left > 0 && !givers_.empty();) {
    const int rank = givers_.take_front();
    slot& which = at(rank);
    const auto entry = jobs_.find(which.job);
    if (which.state != slot_state::ready || entry == jobs_.end()) continue;
    const job_state& job = entry->second;
    const std::size_t most = may_come_back(which, job);
    if (which.times_taken >= most_taken || most == 0) continue;
    if (!to_share && job.chunks < runnable_.begin()->chunks + least_lead) {
      givers_.add(rank);
      --left;
      continue;
    }
    const bool picky = to_share && !std::exchange(which.is_slow, false);
    if (picky) wait_for(rank);
    const std::size_t least = picky ? worth_sharing_of(job) : 1;
    if (most < least) continue;
    actions_.emplace_back(action::take_back{rank, least, job.sizer.least(), true, picky});
    return true;
  }
  return false;
}

void scheduler::wait_for(int rank) {
  at(rank).slow_at.reset();
  slow_givers_.add(rank);
}

void scheduler::rest(time_point now) {
  slow_givers_.remove_if([&](int rank) {
    slot& which = at(rank);
    if (which.held.empty()) return true;
    if (!which.slow_at) {
      which.slow_at = now + patience + 2 * chunks_.at(which.held.front()).expected;
    }
    return false;
  });
}

void scheduler::give_up_waiting(time_point now) {
  slow_givers_.remove_if([&](int rank) {
    slot& which = at(rank);
    if (!which.slow_at || *which.slow_at > now) return false;
    which.is_slow = true;
    givers_.add(rank);
    return true;
  });
}

bool scheduler::nobody_idle() {
  while (!idle_.empty()) {
    const slot& first = at(idle_.front());
    if (first.state == slot_state::ready && first.held.empty()) return false;
    idle_.take_front();
  }
  return true;
}

// One worker for each job that is as badly off as the first.
bool scheduler::enough_make_way() const {
  std::size_t waiting = 0;
  for (const place_in_turn& each : runnable_) {
    if (each.chunks != runnable_.begin()->chunks) break;
    if (++waiting > making_way_) return false;
  }
  return true;
}

void scheduler::taken_back(int rank, chunk_id begun, std::size_t kept) {
  slot& holder = at(rank);
  ++holder.times_taken;
  const std::size_t held_before = holder.held.size();
  const std::deque<chunk_id> back = shorten(holder, begun, kept);
  const auto entry = jobs_.find(holder.job);
  if (entry == jobs_.end()) {
    for (const chunk_id each : back) chunks_.erase(each);
  } else {
    job_state& job = entry->second;
    job.chunks -= held_before - holder.held.size();
    put_back(job, back);
    refresh(holder.job, job);
  }
  if (holder.held.empty()) return offer(rank);
  set_makes_way(holder, true);
  // It has less to do than the others.
  hungry_.add_in_front(rank);
}

// A stream waits for what came first.
void scheduler::put_back(job_state& job, const std::deque<chunk_id>& chunks) {
  const auto place = [this](chunk_id id) {
    const chunk_state& chunk = chunks_.at(id);
    return chunk.first + chunk.done;
  };
  for (const chunk_id each : chunks) {
    job.unsent.insert(std::ranges::upper_bound(job.unsent, place(each), {}, place), each);
  }
}

// Takes from the slot what is behind those items, and returns it.
std::deque<chunk_id> scheduler::shorten(slot& holder, chunk_id begun, std::size_t kept) {
  auto first = std::ranges::find(holder.held, begun);
  if (first == holder.held.end()) {
    first = holder.held.begin();
  } else {
    ++first;
    chunk_state& cut = chunks_.at(begun);
    kept = std::max(kept, cut.done);
    if (kept < cut.count) {
      first = holder.held.insert(first, split(begun, kept));
      cut.shortened = true;
    }
  }
  std::deque<chunk_id> back(first, holder.held.end());
  holder.held.erase(first, holder.held.end());
  for (const chunk_id each : back) holder.expected -= chunks_.at(each).expected;
  return back;
}

// Makes what is behind `at` a chunk of its own.
chunk_id scheduler::split(chunk_id chunk, std::size_t at) {
  chunk_state& whole = chunks_.at(chunk);
  chunk_state behind = whole;
  behind.done = behind.done_before = at;
  behind.expected = share_of(whole.expected, whole.count - at, whole.count - whole.done_before);
  whole.expected -= behind.expected;
  whole.count = at;
  const chunk_id rest = ++last_chunk_;
  chunks_.emplace(rest, behind);
  actions_.emplace_back(action::split{chunk, at, rest});
  return rest;
}

// What was sent before and is left of it.
void scheduler::resend(int rank, job_state& job) {
  const chunk_id chunk = job.unsent.front();
  job.unsent.pop_front();
  // The last that there is to be given now is for two.
  if (!can_give(job)) {
    const chunk_state& last = chunks_.at(chunk);
    const std::size_t left = last.count - last.done;
    const std::size_t least = job.sizer.least();
    const std::size_t half = (last.done + (left + 1) / 2 + least - 1) / least * least;
    if (left > worth_sharing_of(job) && half < last.count) job.unsent.push_back(split(chunk, half));
  }
  chunk_state& again = chunks_.at(chunk);
  again.rank = rank;
  again.done_before = again.done;
  again.shortened = false;
  slot& to = at(rank);
  to.held.push_back(chunk);
  to.expected += again.expected;
  actions_.emplace_back(action::resend{rank, chunk});
}

std::size_t scheduler::worth_sharing_of(const job_state& job) const {
  const auto each = job.sizer.item_time();
  if (!each) return 1;
  const auto least = std::max(worth_sharing, worth_sharing_each * settings_.processes);
  const auto item = std::max(*each, std::chrono::nanoseconds{1});
  return static_cast<std::size_t>((least + item - std::chrono::nanoseconds{1}) / item);
}

// As far as is known: the worker is at the first of its chunks, or further.
std::size_t scheduler::may_come_back(const slot& holder, const job_state& job) const {
  std::size_t count = 0;
  for (const chunk_id each : holder.held) {
    const chunk_state& chunk = chunks_.at(each);
    const std::size_t left = chunk.count - chunk.done;
    count += each == holder.held.front() ? left - std::min(left, job.sizer.least()) : left;
  }
  return count;
}

void scheduler::set_makes_way(slot& which, bool value) {
  if (std::exchange(which.makes_way, value) == value) return;
  value ? ++making_way_ : --making_way_;
}

}  // namespace coterie::detail
