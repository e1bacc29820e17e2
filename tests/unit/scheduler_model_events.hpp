// SPDX-License-Identifier: BSL-1.0
#pragma once

// What can happen in the world of scheduler_model.hpp, and what it then looks like.

#include "scheduler_model.hpp"

namespace scheduler_model {

inline world::world(const plan& given)
    : plan_{&given},
      left_{given},
      scheduler_{{.processes = given.processes,
                  .start_timeout = given.start_timeout,
                  .restarts = {.starts = given.restart_limit}}},
      workers_(static_cast<std::size_t>(given.processes)),
      jobs_(given.jobs.size()) {
  left_.jobs.clear();
  for (std::size_t index = 0; index < jobs_.size(); ++index) {
    jobs_[index].items.resize(given.jobs[index].items, fate::in_input);
    if (index == 0 || !given.late_jobs) add(index);
  }
  settle();
}

// ---- what could happen ------------------------------------------------------------------------

inline bool world::could_speak(const worker& one) const {
  if (one.mute || one.held.empty()) return false;
  return one.now == life::serving || one.now == life::leaving ||
         (one.now == life::dying && plan_->late_frames);
}

inline bool world::could_work(const worker& one) const {
  return plan_->revocable && one.place < one.held.size() &&
         (one.now == life::serving || one.now == life::leaving);
}

// How many frames may come of what it holds.
inline std::size_t world::frames_of(const worker& one) const {
  if (plan_->revocable) return one.unheard;
  std::size_t frames = 0;
  for (const chunk_id held : one.held) {
    frames += chunks_.at(held).count - chunks_.at(held).done + 1;
  }
  return frames;
}

// How many items of its chunk may have begun without a word of their end, as far as its parent can
// tell.
inline std::vector<int> world::possible_begun(const worker& one) const {
  if (!plan_->any_begun || one.held.empty()) return {1};
  const chunk& front = chunks_.at(one.held.front());
  const int left = static_cast<int>(front.count - front.done);
  const std::set<int> all{-1, 0, 1, left / 2, left, left + 1};
  return {all.begin(), all.end()};
}

inline std::vector<event> world::possible() const {
  std::vector<event> all;
  for (std::size_t index = 0; index < jobs_.size(); ++index) {
    const job& each = jobs_[index];
    const int number = static_cast<int>(index);
    if (each.now == end::unborn && !closed_) all.push_back({happening::add, number});
    if (each.now != end::running) continue;
    if (each.unread > 0) all.push_back({happening::consume, number});
    if (left_.cancellations > 0) all.push_back({happening::cancel, number});
    if (left_.kills > 0) all.push_back({happening::kill, number});
  }
  bool someone_starts = false;
  for (int rank = 0; rank < plan_->processes; ++rank) {
    const worker& each = at(rank);
    if (could_work(each)) all.push_back({happening::work, rank});
    if (could_speak(each)) {
      const chunk& front = chunks_.at(each.held.front());
      const std::size_t frames =
          std::min<std::size_t>(frames_of(each), plan_->batches ? each.held.size() * 64 : 1);
      for (std::size_t count = 1; count <= frames; ++count) {
        all.push_back({happening::frames, rank, static_cast<int>(count)});
      }
      if (!running(front.job) && front.done < front.count && !plan_->revocable) {
        all.push_back({happening::skip, rank});
      }
    }
    const auto crash = [&] {
      if (left_.crashes == 0) return;
      for (const int begun : possible_begun(each)) all.push_back({happening::crash, rank, begun});
    };
    switch (each.now) {
      case life::none:
        break;
      case life::asked:
        all.push_back({happening::spawn, rank});
        if (left_.failed_starts > 0) all.push_back({happening::spawn_fails, rank});
        break;
      case life::starting:
        someone_starts = true;
        all.push_back({happening::ready, rank});
        if (left_.failed_starts > 0) all.push_back({happening::crash, rank});
        if (left_.killed_starts > 0) all.push_back({happening::kill_start, rank});
        break;
      case life::serving:
        crash();
        break;
      case life::leaving:
        if (each.held.empty()) {
          all.push_back({happening::leave, rank});
        } else {
          crash();
        }
        break;
      case life::dying:
        all.push_back({happening::leave, rank});
        if (!each.was_ready && !each.late && plan_->late_frames) {
          all.push_back({happening::ready, rank});
        }
        break;
    }
    if (left_.lies > 0 && (each.now == life::starting || each.now == life::serving)) {
      all.push_back({happening::lie, rank});
    }
  }
  // A wait for another try to start ends by itself; one for a slow start is a matter of luck.
  if (scheduler_.next_deadline() && (!someone_starts || left_.slow_starts > 0)) {
    all.push_back({nobody_alive() ? happening::retry : happening::timeout});
  }
  if (left_.refusals > 0 && !refuse_next_) all.push_back({happening::refuse});
  if (left_.closes > 0) all.push_back({happening::close});
  if (left_.terminations > 0) all.push_back({happening::terminate});
  return all;
}

// ---- what happens -----------------------------------------------------------------------------

inline void world::happen(const event& what) {
  ++steps_;
  now_ += std::chrono::milliseconds{1};
  const auto index = static_cast<std::size_t>(what.subject);
  switch (what.what) {
    case happening::add:
      add(index);
      break;
    case happening::spawn:
      at(what.subject).now = life::starting;
      at(what.subject).asked_at = now_;
      scheduler_.started(at(what.subject).id, now_);
      break;
    case happening::spawn_fails:
      --left_.failed_starts;
      lose(what.subject);
      break;
    case happening::ready:
      if (at(what.subject).now == life::dying) {
        at(what.subject).late = true;
      } else {
        at(what.subject).now = life::serving;
        at(what.subject).was_ready = true;
        failed_in_a_row_ = failed_lately_ = 0;
        killed_in_a_row_ = 0;
      }
      scheduler_.ready(at(what.subject).id, plan_->revocable);
      break;
    case happening::work:
      work(at(what.subject));
      break;
    case happening::frames:
      for (int count = what.count; count > 0; --count) take_frame(what.subject);
      break;
    case happening::skip: {
      const chunk_id front = at(what.subject).held.front();
      at(what.subject).held.erase(at(what.subject).held.begin());
      chunks_.erase(front);
      require(scheduler_.chunk_done(at(what.subject).id, front, plan_->busy),
              "a worker may skip what nobody wants");
      break;
    }
    case happening::consume:
      --jobs_[index].unread;
      scheduler_.consumed(id_of(index), 1);
      break;
    case happening::leave:
      lose(what.subject);
      break;
    case happening::crash:
      at(what.subject).was_ready ? --left_.crashes : --left_.failed_starts;
      // What it has sent is heard before its end is believed.
      while (at(what.subject).unheard > 0) take_frame(what.subject);
      lose(what.subject, {.begun = static_cast<std::size_t>(what.count)});
      break;
    case happening::kill_start:
      --left_.killed_starts;
      lose(what.subject, {.start = start_failure::from_outside});
      break;
    case happening::retry:
    case happening::timeout: {
      // One thing falls due at a time, even if the news of it is late.
      const auto due = *scheduler_.next_deadline();
      now_ = std::max(now_, due);
      bool killed = false;
      for (int rank = 0; rank < plan_->processes; ++rank) {
        if (at(rank).now != life::starting || plan_->start_timeout.count() == 0) continue;
        if (at(rank).asked_at + plan_->start_timeout > due) continue;
        expect_kill(rank);
        killed = true;
      }
      if (killed) --left_.slow_starts;
      // A wait for the next start may be over at the same time. Then there are starts: workers that
      // are killed have not ended yet.
      const int failed = std::exchange(failed_lately_, 0);
      const auto asked = [this] { return std::ranges::count(workers_, life::asked, &worker::now); };
      const auto asked_before = asked();
      has_waited_ = true;
      scheduler_.tick(due);
      settle();
      if (killed && asked() == asked_before) failed_lately_ = failed;
      return;
    }
    case happening::cancel:
      --left_.cancellations;
      drop(index);
      scheduler_.drop_job(id_of(index), false);
      break;
    case happening::kill:
      --left_.kills;
      for (int rank = 0; rank < plan_->processes; ++rank) {
        const worker& each = at(rank);
        if (!each.held.empty() && chunks_.at(each.held.front()).job == index) expect_kill(rank);
      }
      drop(index);
      scheduler_.drop_job(id_of(index), true);
      break;
    case happening::lie:
      --left_.lies;
      lie(what.subject);
      break;
    case happening::refuse:
      --left_.refusals;
      refuse_next_ = true;
      break;
    case happening::close:
      --left_.closes;
      closed_ = true;
      scheduler_.close();
      break;
    case happening::terminate:
      --left_.terminations;
      closed_ = terminated_ = true;
      for (std::size_t each = 0; each < jobs_.size(); ++each) {
        if (running(each)) drop(each);
      }
      for (int rank = 0; rank < plan_->processes; ++rank) {
        if (at(rank).now == life::asked) at(rank) = {};
        if (at(rank).now != life::none) expect_kill(rank);
        for (const chunk_id each : std::exchange(at(rank).held, {})) chunks_.erase(each);
      }
      scheduler_.terminate();
      break;
  }
  settle();
}

inline void world::add(std::size_t index) {
  if (nobody_alive()) failed_lately_ = 0;
  jobs_[index].now = end::running;
  scheduler_.add_job(id_of(index), plan_->jobs[index].limits);
}

// One step: claims an item, runs it, or ends the chunk.
inline void world::work(worker& one) {
  const chunk& at_work = chunks_.at(one.held[one.place]);
  if (!std::exchange(one.begun, true)) one.run = one.claimed = at_work.done;
  if (one.run < one.claimed) {
    ++one.run;
    ++one.unheard;
  } else if (one.claimed < at_work.count) {
    const std::size_t unit = unit_of(at_work.job);
    one.claimed = std::min((one.claimed / unit + 1) * unit, at_work.count);
  } else {
    ++one.unheard;
    ++one.place;
    one.begun = false;
  }
}

inline void world::take_frame(int rank) {
  worker& from = at(rank);
  if (plan_->revocable) --from.unheard;
  const chunk_id front = from.held.front();
  chunk& at_work = chunks_.at(front);
  if (at_work.done < at_work.count) {
    if (scheduler_.has_job(id_of(at_work.job))) {
      require(!scheduler_.chunk_done(at(rank).id, front, plan_->busy), "no early end is believed");
    }
    require(scheduler_.items_done(at(rank).id, front, 1),
            "results of what a worker runs are believed");
    finish_items(at_work.job, at_work.first + at_work.done++, 1);
  } else {
    require(!scheduler_.items_done(at(rank).id, front, 1),
            "no more results than items are believed");
    require(scheduler_.chunk_done(at(rank).id, front, plan_->busy),
            "the end of a chunk is believed");
    from.held.erase(from.held.begin());
    chunks_.erase(front);
    from.times_taken = 0;
    if (plan_->revocable) --from.place;
  }
}

inline void world::finish_items(std::size_t index, std::size_t first, std::size_t count) {
  job& owner = jobs_[index];
  if (owner.now != end::running) return;
  for (std::size_t item = first; item < first + count; ++item) {
    require(owner.items[item] == fate::out, "an item finishes once");
    owner.items[item] = fate::finished;
    ++owner.finished;
    if (plan_->jobs[index].limits.held_until_consumed) ++owner.unread;
  }
}

// Nothing that was not asked for is believed; and nothing has changed by that.
inline void world::lie(int rank) {
  worker& liar = at(rank);
  const chunk_id front = liar.held.empty() ? 0 : liar.held.front();
  const chunk_id unknown = 1'000'000;
  std::vector<chunk_id> wrong{0, unknown};
  for (const auto& [id, each] : chunks_) {
    if (id != front) wrong.push_back(id);
  }
  for (const chunk_id each : wrong) {
    require(!scheduler_.items_done(at(rank).id, each, 1),
            "results of what a worker is not at are refused");
    require(!scheduler_.chunk_done(at(rank).id, each, plan_->busy), "and so is the end of it");
  }
  if (front != 0) {
    const std::size_t left = chunks_.at(front).count - chunks_.at(front).done;
    for (const std::size_t many : {left + 1, std::numeric_limits<std::size_t>::max()}) {
      require(!scheduler_.items_done(at(rank).id, front, many),
              "more results than items are refused");
    }
    if (left > 0 && scheduler_.has_job(id_of(chunks_.at(front).job))) {
      require(!scheduler_.chunk_done(at(rank).id, front, plan_->busy), "an early end is refused");
    }
  }
  liar.mute = true;
  expect_kill(rank);
  scheduler_.condemn(at(rank).id);
}

// Of the chunk that a worker ran when it ended.
inline std::size_t world::lost_of(chunk& front, std::size_t begun) const {
  if (begun > 0 || front.done > front.done_before) {
    front.losses = 0;
  } else if (++front.losses == ledger::max_losses) {
    front.losses = 0;
    begun = 1;  // what ends every worker that gets it must end, too
  }
  return std::min(begun, front.count - front.done);
}

inline void world::lose(int rank, worker_exit how) {
  worker& gone = at(rank);
  const bool started = gone.was_ready;
  const bool everything = how.begun == worker_exit::everything || gone.mute;
  for (std::size_t place = 0; place < gone.held.size(); ++place) {
    chunk each = chunks_.at(gone.held[place]);
    chunks_.erase(gone.held[place]);
    // Its last frames may have been the end of the job.
    if (!running(each.job) || !scheduler_.has_job(id_of(each.job))) continue;
    std::size_t lost = 0;
    if (everything) {
      lost = each.count - each.done;
    } else if (place == 0) {
      lost = lost_of(each, how.begun);
    }
    if (lost > 0) {
      to_crash_.push_back({.job = id_of(each.job), .first = each.first + each.done, .count = lost});
    }
    each.done += lost;
    if (each.done < each.count) orphans_.push_back(each);
  }
  const worker_id id = gone.id;
  gone = {};
  if (!started && how.start == start_failure::from_outside) {
    ++killed_in_a_row_;
  } else if (!started) {
    ++failed_in_a_row_;
    ++failed_lately_;
  } else if (nobody_alive()) {
    failed_lately_ = 0;
  }
  const departure as = scheduler_.exited(id, now_, how);
  require((as == departure::start_failed) == !started, "a start that fails is known as one");
}

inline void world::drop(std::size_t index) {
  jobs_[index].now = end::dropped;
  std::erase_if(orphans_, [=](const chunk& each) { return each.job == index; });
}

inline void world::expect_kill(int rank) {
  if (at(rank).now != life::dying) to_kill_.push_back(rank);
}

}  // namespace scheduler_model
