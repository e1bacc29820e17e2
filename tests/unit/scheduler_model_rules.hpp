// SPDX-License-Identifier: BSL-1.0
#pragma once

// What happens in the world of scheduler_model.hpp, and what is promised of it.

#include "scheduler_model.hpp"

namespace scheduler_model {

inline world::world(const plan& given)
    : plan_{&given},
      left_{given},
      scheduler_{{.processes = given.processes, .start_timeout = given.start_timeout}},
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

inline bool world::could_speak(const worker& who) const {
  if (who.mute || who.held.empty()) return false;
  return who.now == life::serving || who.now == life::leaving ||
         (who.now == life::dying && plan_->late_frames);
}

inline std::vector<event> world::possible() const {
  std::vector<event> all;
  for (std::size_t index = 0; index < jobs_.size(); ++index) {
    const job& each = jobs_[index];
    const int who = static_cast<int>(index);
    if (each.now == end::unborn && !closed_) all.push_back({happening::add, who});
    if (each.now != end::running) continue;
    if (each.unread > 0) all.push_back({happening::consume, who});
    if (left_.cancellations > 0) all.push_back({happening::cancel, who});
    if (left_.kills > 0) all.push_back({happening::kill, who});
  }
  bool someone_starts = false;
  for (int rank = 0; rank < plan_->processes; ++rank) {
    const worker& each = at(rank);
    if (could_speak(each)) {
      const chunk& front = chunks_.at(each.held.front());
      std::size_t frames = 0;
      for (const chunk_id held : each.held) {
        frames += chunks_.at(held).count - chunks_.at(held).done + 1;
      }
      if (!plan_->batches) frames = 1;
      for (std::size_t count = 1; count <= frames; ++count) {
        all.push_back({happening::frames, rank, static_cast<int>(count)});
      }
      if (!running(front.job) && front.done < front.count) all.push_back({happening::skip, rank});
    }
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
        break;
      case life::serving:
        if (left_.crashes > 0) all.push_back({happening::crash, rank});
        break;
      case life::leaving:
        if (each.held.empty()) {
          all.push_back({happening::leave, rank});
        } else if (left_.crashes > 0) {
          all.push_back({happening::crash, rank});
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
    all.push_back({happening::timeout, 0});
  }
  if (left_.closes > 0) all.push_back({happening::close});
  if (left_.terminations > 0) all.push_back({happening::terminate});
  return all;
}

// ---- what happens -----------------------------------------------------------------------------

inline void world::happen(const event& what) {
  ++steps_;
  now_ += std::chrono::milliseconds{1};
  const auto index = static_cast<std::size_t>(what.who);
  switch (what.what) {
    case happening::add:
      add(index);
      break;
    case happening::spawn:
      at(what.who).now = life::starting;
      at(what.who).asked_at = now_;
      scheduler_.started(what.who, now_);
      break;
    case happening::spawn_fails:
      --left_.failed_starts;
      lose(what.who);
      break;
    case happening::ready:
      if (at(what.who).now == life::dying) {
        at(what.who).late = true;
      } else {
        at(what.who).now = life::serving;
        at(what.who).was_ready = true;
        failed_in_a_row_ = 0;
      }
      scheduler_.ready(what.who);
      break;
    case happening::frames:
      for (int count = what.count; count > 0; --count) take_frame(what.who);
      break;
    case happening::skip: {
      const chunk_id front = at(what.who).held.front();
      at(what.who).held.erase(at(what.who).held.begin());
      require(scheduler_.chunk_done(what.who, front, plan_->busy),
              "a worker may skip what nobody wants");
      break;
    }
    case happening::consume:
      --jobs_[index].unread;
      scheduler_.consumed(id_of(index), 1);
      break;
    case happening::leave:
      lose(what.who);
      break;
    case happening::crash:
      at(what.who).was_ready ? --left_.crashes : --left_.failed_starts;
      lose(what.who);
      break;
    case happening::timeout: {
      now_ = std::max(now_, *scheduler_.next_deadline());
      bool killed = false;
      for (int rank = 0; rank < plan_->processes; ++rank) {
        if (at(rank).now != life::starting || plan_->start_timeout.count() == 0) continue;
        if (at(rank).asked_at + plan_->start_timeout > now_) continue;
        expect_kill(rank);
        killed = true;
      }
      killed ? void(--left_.slow_starts) : void(failed_in_a_row_ = 0);
      scheduler_.tick(now_);
      break;
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
      at(what.who).mute = true;
      expect_kill(what.who);
      scheduler_.condemn(what.who);
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
        at(rank).held.clear();
      }
      scheduler_.terminate();
      break;
  }
  settle();
}

inline void world::add(std::size_t index) {
  if (nobody_alive()) failed_in_a_row_ = 0;
  jobs_[index].now = end::running;
  scheduler_.add_job(id_of(index), plan_->jobs[index].limits);
}

inline void world::take_frame(int rank) {
  worker& from = at(rank);
  const chunk_id front = from.held.front();
  chunk& at_work = chunks_.at(front);
  if (at_work.done < at_work.count) {
    require(scheduler_.items_done(rank, front, 1), "results of what a worker runs are believed");
    finish_item(at_work);
  } else {
    require(!scheduler_.items_done(rank, front, 1), "no more results than items are believed");
    require(scheduler_.chunk_done(rank, front, plan_->busy), "the end of a chunk is believed");
    from.held.erase(from.held.begin());
  }
}

inline void world::finish_item(chunk& which) {
  job& owner = jobs_[which.job];
  if (owner.now == end::running) {
    fate& item = owner.items[which.first + which.done];
    require(item == fate::out, "an item finishes once");
    item = fate::finished;
    ++owner.finished;
    if (plan_->jobs[which.job].limits.held_until_consumed) ++owner.unread;
  }
  ++which.done;
}

inline void world::lose(int rank) {
  worker& gone = at(rank);
  const bool started = gone.was_ready;
  bool front = true;
  for (const chunk_id held : gone.held) {
    chunk& each = chunks_.at(held);
    if (!running(each.job)) continue;
    if (std::exchange(front, false)) {
      to_crash_ = held;
    } else {
      each.orphan = true;
    }
  }
  gone = {};
  if (!started) ++failed_in_a_row_;
  if (started && nobody_alive()) failed_in_a_row_ = 0;
  scheduler_.exited(rank, now_);
}

inline void world::drop(std::size_t index) { jobs_[index].now = end::dropped; }

inline void world::expect_kill(int rank) {
  if (at(rank).now != life::dying) to_kill_.push_back(rank);
}

// ---- what the scheduler wants -----------------------------------------------------------------

inline void world::settle() {
  while (const auto next = scheduler_.next()) {
    ++steps_;
    std::visit([this](const auto& what) { perform(what); }, *next);
  }
  require(to_kill_.empty(), "who has to die is killed");
  require(to_crash_ == 0, "a worker's death costs the chunk it ran");
  for (int rank = 0; rank < plan_->processes; ++rank) {
    if (at(rank).now != life::asked || scheduler_.wants(rank)) continue;
    require(closed_ && !any_running(), "a worker is not wanted only when there is nothing to do");
    at(rank) = {};
  }
  for (job& each : jobs_) each.may_still_finish = false;
  check_state();
}

inline void world::perform(const action::spawn& what) {
  worker& slot = at(what.rank);
  require(slot.now == life::none, "a rank is one process at a time");
  require(!terminated_ && (!closed_ || any_running()), "nobody starts when all is over");
  require(failed_in_a_row_ < scheduler::start_attempts, "starts are not tried for ever");
  slot.now = life::asked;
}

inline void world::check_turn(int rank, std::size_t index) const {
  const worker& to = at(rank);
  require(to.now == life::serving, "only a worker that serves is given work");
  require(running(index), "only a job that is wanted is worked for");
  if (to.held.empty()) {
    for (std::size_t other = 0; other < jobs_.size(); ++other) {
      require(!can_give(other) || chunks_under_way(index) <= chunks_under_way(other),
              "who has the fewest chunks under way is first");
    }
    return;
  }
  require(chunks_.at(to.held.front()).job == index, "a worker holds chunks of one job");
  require(std::ranges::none_of(
              workers_,
              [](const worker& each) { return each.now == life::serving && each.held.empty(); }),
          "free workers come first");
}

inline void world::perform(const action::cut& what) {
  const std::size_t index = index_of(what.job);
  check_turn(what.rank, index);
  const job_plan& given = plan_->jobs[index];
  job& owner = jobs_[index];
  require(!owner.input_ended, "an input that has ended is left alone");
  require(what.most > 0, "a chunk has items");
  if (given.limits.chunksize > 0) {
    require(what.most <= given.limits.chunksize, "no chunk is larger than it may be");
  }
  if (given.limits.window > 0) {
    require(outstanding(index) + what.most <= given.limits.window, "the window is respected");
  }
  require(!chunks_.contains(what.chunk), "a chunk's name is its own");

  std::size_t count = std::min(what.most, given.items - owner.cut);
  if (owner.cut <= given.fails_at && given.fails_at < owner.cut + what.most) {
    count = given.fails_at - owner.cut;
    if (count == 0) {
      drop(index);
      scheduler_.drop_job(what.job, false);
      return scheduler_.cut_done(what.chunk, 0, true);
    }
  }
  const bool ended = count == 0 || (given.fails_at >= given.items && given.looks_ahead &&
                                    owner.cut + count == given.items);
  if (count > 0) {
    chunks_[what.chunk] = {.job = index, .first = owner.cut, .count = count};
    for (std::size_t item = 0; item < count; ++item) owner.items[owner.cut + item] = fate::out;
    at(what.rank).held.push_back(what.chunk);
  }
  owner.cut += count;
  owner.input_ended = ended;
  scheduler_.cut_done(what.chunk, count, ended);
}

inline void world::perform(const action::resend& what) {
  chunk& again = chunks_.at(what.chunk);
  check_turn(what.rank, again.job);
  require(std::exchange(again.orphan, false), "a chunk is sent again only if it was not begun");
  require(again.done == 0, "a chunk that is sent again is whole");
  at(what.rank).held.push_back(what.chunk);
}

inline void world::perform(const action::crash& what) {
  require(what.chunk != 0 && what.chunk == std::exchange(to_crash_, 0), "only what ran crashes");
  chunk& lost = chunks_.at(what.chunk);
  const bool fails = lost.done < lost.count;
  while (lost.done < lost.count) finish_item(lost);
  if (!fails || !plan_->jobs[lost.job].ends_at_first_failure || !running(lost.job)) return;
  drop(lost.job);
  jobs_[lost.job].may_still_finish = true;
  scheduler_.drop_job(id_of(lost.job), false);
}

inline void world::perform(const action::finish& what) {
  job& ended = jobs_[index_of(what.job)];
  if (std::exchange(ended.may_still_finish, false)) return;
  require(ended.now == end::running, "a job finishes once");
  require(ended.input_ended && ended.finished == ended.cut, "a job finishes after its items");
  ended.now = end::finished;
}

inline void world::perform(const action::give_up&) {
  require(nobody_alive(), "nothing is given up while somebody is alive");
  require(failed_in_a_row_ >= scheduler::start_attempts, "three tries come before giving up");
  for (std::size_t index = 0; index < jobs_.size(); ++index) {
    if (running(index)) drop(index);
  }
}

inline void world::perform(const action::kill& what) {
  require(std::erase(to_kill_, what.rank) == 1, "only who has to die is killed, once");
  at(what.rank).now = life::dying;
}

inline void world::perform(const action::stop& what) {
  require(at(what.rank).now == life::serving, "who is asked to leave is there");
  require(closed_ && !any_running(), "nobody leaves while there is work");
  at(what.rank).now = life::leaving;
}

inline void world::perform(const action::all_gone&) {
  require(closed_ && !any_running() && nobody_alive(), "all are gone when all are gone");
  require(++all_gone_ == 1, "all are gone once");
}

// ---- what is promised at any time -------------------------------------------------------------

inline std::size_t world::outstanding(std::size_t index) const {
  return jobs_[index].cut - jobs_[index].finished + jobs_[index].unread;
}

inline bool world::can_give(std::size_t index) const {
  if (!running(index)) return false;
  const bool orphans = std::ranges::any_of(
      chunks_, [=](const auto& each) { return each.second.job == index && each.second.orphan; });
  const std::size_t window = plan_->jobs[index].limits.window;
  return orphans || (!jobs_[index].input_ended && (window == 0 || outstanding(index) < window));
}

inline std::size_t world::chunks_under_way(std::size_t index) const {
  std::size_t count = 0;
  for (const worker& each : workers_) {
    if (!each.held.empty() && chunks_.at(each.held.front()).job == index) count += each.held.size();
  }
  return count;
}

inline void world::check_state() const {
  int serving = 0;
  bool idle = false;
  for (const worker& each : workers_) {
    if (each.now != life::serving) continue;
    ++serving;
    idle = idle || each.held.empty();
    require(each.held.size() <= scheduler::most_held, "no worker holds too many chunks");
  }
  require(scheduler_.workers_ready() == serving, "the number of ready workers is known");
  require(scheduler_.gone() == (all_gone_ == 1), "whether all are gone is known");
  for (std::size_t index = 0; index < jobs_.size(); ++index) {
    require(scheduler_.has_job(id_of(index)) == running(index), "which jobs run is known");
    require(!idle || !can_give(index), "nobody is idle while there is something to do");
  }
}

inline void world::check_rest() const {
  for (const job& each : jobs_) require(each.now != end::running, "every job ends");
  for (const worker& each : workers_) {
    require(each.now == life::serving ? each.held.empty() : each.now == life::none,
            "every worker comes to rest");
  }
  if (closed_) {
    require(nobody_alive() && all_gone_ == 1, "after close, everybody leaves");
    require(!scheduler_.next_deadline(), "when all are gone, there is nothing to wait for");
  } else {
    require(all_gone_ == 0, "nobody leaves before close");
    require(scheduler_.next_deadline() || failed_in_a_row_ >= scheduler::start_attempts ||
                scheduler_.workers_ready() == plan_->processes,
            "every rank is filled");
  }
}

}  // namespace scheduler_model
