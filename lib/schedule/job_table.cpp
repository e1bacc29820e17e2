// SPDX-License-Identifier: BSL-1.0
#include "schedule/job_table.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace coterie::detail {

job_state* job_table::find(job_id id) {
  const auto found = jobs_.find(id);
  return found == jobs_.end() ? nullptr : &found->second;
}

const job_state* job_table::find(job_id id) const {
  const auto found = jobs_.find(id);
  return found == jobs_.end() ? nullptr : &found->second;
}

job_state* job_table::add(job_id id, job_limits limits) {
  const auto [entry, inserted] = jobs_.try_emplace(id, limits, workers_);
  if (!inserted) return nullptr;
  // Before the one that was served last: for that it has to wait.
  entry->second.turn = turns_ - 1;
  return &entry->second;
}

void job_table::erase(job_id id) {
  const auto found = jobs_.find(id);
  move_to(std::nullopt, found->second);
  jobs_.erase(found);
}

void job_table::clear() {
  turns_of_.clear();
  jobs_.clear();
}

void job_table::refresh(job_id id, job_state& job) {
  std::optional<place_in_turn> place;
  if (can_give(job)) place = place_in_turn{.held = job.held, .turn = job.turn, .job = id};
  if (place == job.place) return;
  move_to(place, job);
}

void job_table::move_to(std::optional<place_in_turn> place, job_state& job) {
  if (job.place) spare_turns_.keep(turns_of_.extract(*job.place));
  job.place = place;
  if (!place) return;
  if (auto node = spare_turns_.take()) {
    node.value() = *place;
    turns_of_.insert(std::move(node));
  } else {
    turns_of_.insert(*place);
  }
}

bool job_table::can_give(const job_state& job) const {
  if (!job.unsent.empty()) return true;
  return !job.exhausted && !job.cutting && job.taken < window_of(job);
}

bool job_table::more_wait_than(std::size_t count) const {
  std::size_t waiting = 0;
  for (const place_in_turn& each : turns_of_) {
    if (each.held != first().held) break;
    if (++waiting > count) return true;
  }
  return false;
}

std::size_t job_table::window_of(const job_state& job) const {
  if (job.limits.window != 0) return job.limits.window;
  if (!job.limits.held_until_consumed) return std::numeric_limits<std::size_t>::max();
  // Room for each worker to run a chunk, hold a few, and have as many waiting to be read.
  const auto workers = static_cast<std::size_t>(workers_);
  return std::clamp(8 * workers * job.sizer.next(), min_window,
                    std::max(min_window, max_window_each * workers));
}

std::size_t job_table::next_size(const job_state& job) const {
  const std::size_t window = window_of(job);
  const std::size_t most = std::min(job.sizer.next(), window - job.taken);
  // A narrow window has to do for all workers.
  return std::min(most, std::max(window / shares_, job.sizer.least()));
}

}  // namespace coterie::detail
