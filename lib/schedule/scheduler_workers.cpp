// SPDX-License-Identifier: BSL-1.0

// The lives of workers: how they start, are lost and leave.

#include <algorithm>
#include <utility>

#include <coterie/detail/deadline.hpp>

#include "schedule/scheduler.hpp"

namespace coterie::detail {

void scheduler::started(int rank, time_point now) {
  slot& which = at(rank);
  if (which.state != slot_state::spawning) return;
  which.state = slot_state::starting;
  if (settings_.start_timeout > std::chrono::nanoseconds::zero()) {
    which.start_deadline = deadline_after(now, settings_.start_timeout);
    ++starting_count_;
  }
}

void scheduler::ready(int rank, bool takes_back) {
  slot& which = at(rank);
  if (which.state != slot_state::starting) return;
  which.state = slot_state::ready;
  which.was_ready = true;
  which.takes_back = takes_back;
  which.times_taken = 0;
  if (which.start_deadline) {
    which.start_deadline.reset();
    --starting_count_;
  }
  ++ready_count_;
  restarts_.succeeded();
  fill_empty_slots();
  offer(rank);
  leave_if_idle();
}

void scheduler::exited(int rank, time_point now, worker_exit how) {
  slot& which = at(rank);
  if (which.state == slot_state::empty) return;
  // From here on nobody must take it for a worker that could be given or told anything.
  forget_orders(rank);
  if (which.state == slot_state::ready) --ready_count_;
  which.state = slot_state::doomed;
  lose_chunks(which, rank, how.begun);
  const bool was_ready = which.was_ready;
  empty_slot(which);
  if (!was_ready) {
    start_failed(how.start, now);
  } else {
    // The last of them is gone, and starts have been failing: without another try, what is
    // pending would wait for ever.
    if (alive_count_ == 0 && !restarts_.may_start()) restarts_.begin_anew();
    fill_empty_slots();
  }
  leave_if_idle();
  report_if_gone();
}

void scheduler::condemn(int rank) {
  const slot_state state = at(rank).state;
  if (state != slot_state::empty && state != slot_state::spawning) doom(rank);
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
  if (restarts_.tick(now)) fill_empty_slots();
  give_up_waiting(now);
}

std::optional<scheduler::time_point> scheduler::next_deadline() const {
  std::optional<time_point> first = restarts_.retry_at();
  slow_givers_.for_each([&](int rank) {
    const auto slow_at = slots_[static_cast<std::size_t>(rank)].slow_at;
    if (slow_at && (!first || *slow_at < *first)) first = slow_at;
  });
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

bool scheduler::wants(int rank) const {
  return slots_.at(static_cast<std::size_t>(rank)).state == slot_state::spawning;
}

std::optional<chunk_id> scheduler::current_chunk(int rank) const {
  const auto& held = slots_.at(static_cast<std::size_t>(rank)).held;
  if (held.empty()) return std::nullopt;
  return held.front();
}

void scheduler::lose_chunks(slot& dead, int rank, std::size_t begun) {
  auto held = std::exchange(dead.held, {});
  dead.expected = {};
  set_makes_way(dead, false);
  const auto entry = jobs_.find(dead.job);
  if (entry == jobs_.end()) {
    for (const chunk_id chunk : held) chunks_.erase(chunk);
    return;
  }
  if (held.empty()) return;

  job_state& job = entry->second;
  job.chunks -= held.size();
  std::size_t lost = lose_items(held.front(), rank, begun);
  if (begun == worker_exit::everything) {
    for (auto behind = held.begin() + 1; behind != held.end(); ++behind) {
      lost += lose_items(*behind, rank, begun);
    }
  }
  std::erase_if(held, [this](chunk_id each) { return !chunks_.contains(each); });
  put_back(job, held);
  refresh(dead.job, job);
  finish_items(dead.job, lost);
}

// Of one chunk. Forgets it if nothing of it is left, and returns how many items were lost.
std::size_t scheduler::lose_items(chunk_id id, int rank, std::size_t begun) {
  chunk_state& chunk = chunks_.at(id);
  if (begun > 0 || chunk.done > chunk.done_before) {
    chunk.losses = 0;
  } else if (++chunk.losses >= most_losses) {
    chunk.losses = 0;
    begun = 1;
  }
  const std::size_t lost = std::min(begun, chunk.count - chunk.done);
  chunk.done += lost;
  actions_.emplace_back(action::crash{rank, id, lost});
  if (chunk.done == chunk.count) chunks_.erase(id);
  return lost;
}

void scheduler::doom(int rank) {
  slot& which = at(rank);
  if (which.state == slot_state::doomed) return;
  if (which.state == slot_state::ready) --ready_count_;
  which.state = slot_state::doomed;
  actions_.emplace_back(action::kill{rank});
}

// Its last results may have been the end of its job, and of the pool: it was to be told so.
void scheduler::forget_orders(int rank) {
  std::erase_if(actions_, [rank](const scheduler_action& each) {
    const auto is_for_it = [&](const auto* order) {
      return order != nullptr && order->rank == rank;
    };
    return is_for_it(std::get_if<action::kill>(&each)) ||
           is_for_it(std::get_if<action::stop>(&each)) ||
           is_for_it(std::get_if<action::take_back>(&each));
  });
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
  if (terminated_ || !restarts_.may_start()) return;
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

void scheduler::start_failed(start_failure why, time_point now) {
  restarts_.failed(why, now);
  if (!restarts_.gave_up()) {
    fill_empty_slots();
  } else if (alive_count_ == 0) {
    restarts_.stop_waiting();
    for (auto entry = jobs_.begin(); entry != jobs_.end(); entry = jobs_.begin()) {
      erase_job(entry->first);
    }
    actions_.emplace_back(action::give_up{});
  } else if (ready_count_ > 0) {
    restarts_.pause(now);
  }
}

void scheduler::leave_if_idle() {
  if (!closing_ || terminated_ || !jobs_.empty()) return;
  restarts_.stop_waiting();
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
