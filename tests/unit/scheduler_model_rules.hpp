// SPDX-License-Identifier: BSL-1.0
#pragma once

// What the scheduler wants done in the world of scheduler_model.hpp, and what it has promised.

#include "scheduler_model.hpp"

namespace scheduler_model {

// ---- what the scheduler wants -----------------------------------------------------------------

inline void world::settle() {
  while (const auto next = scheduler_.next()) {
    ++steps_;
    forget_unwanted();
    std::visit([this](const auto& what) { perform(what); }, *next);
  }
  forget_unwanted();
  if (scheduler_.wants_time()) scheduler_.rest(now_);
  require(to_kill_.empty(), "a worker that has to die is killed");
  require(to_crash_.empty(), "a worker's death is told to the job that it ran");
  for (job& each : jobs_) each.may_still_finish = false;
  check_state();
}

inline void world::forget_unwanted() {
  for (int rank = 0; rank < plan_->processes; ++rank) {
    if (at(rank).now != life::asked || wanted(at(rank))) continue;
    require(closed_, "a worker is not wanted only when there is nothing to do");
    at(rank) = {};
  }
}

inline void world::perform(const action::spawn& what) {
  const auto* const found = scheduler_.find(what.worker);
  if (found == nullptr) return;  // the job that it was for has ended since
  worker& slot = at(what.rank);
  require(slot.now == life::none, "a rank is one process at a time");
  require(!terminated_ && (!closed_ || any_running()), "nobody starts when all is over");
  require(failed_lately_ < restart_policy::attempts, "starts are not tried for ever");
  slot.now = life::asked;
  slot.id = what.worker;
}

inline void world::check_turn(int rank, std::size_t index) const {
  const worker& to = at(rank);
  require(to.now == life::serving, "only a worker that serves is given work");
  require(running(index), "only a job that is wanted is worked for");
  if (to.held.empty()) {
    for (std::size_t other = 0; other < jobs_.size(); ++other) {
      require(!can_give(other) || chunks_under_way(index) <= chunks_under_way(other),
              "the job with the fewest chunks under way is first");
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
  check_turn(rank_of(what.worker), index);
  const job_plan& given = plan_->jobs[index];
  job& owner = jobs_[index];
  require(!owner.input_ended, "an input that has ended is left alone");
  require(what.max > 0, "a chunk has items");
  if (given.limits.chunksize > 0) {
    require(what.max <= given.limits.chunksize * chunk_sizer::most_together,
            "no message is larger than it may be");
  }
  if (given.limits.window > 0) {
    require(outstanding(index) + what.max <= given.limits.window, "the window is respected");
  }
  require(!chunks_.contains(what.chunk), "a chunk's name is its own");

  std::size_t count = std::min(what.max, given.items - owner.cut);
  if (owner.cut <= given.fails_at && given.fails_at < owner.cut + what.max) {
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
    at(rank_of(what.worker)).held.push_back(what.chunk);
    at(rank_of(what.worker)).refused = false;
  }
  owner.cut += count;
  owner.input_ended = ended;
  scheduler_.cut_done(what.chunk, count, ended);
}

inline void world::perform(const action::resend& what) {
  const ledger::chunk& sent = scheduler_.chunks().at(what.chunk);
  const std::size_t index = index_of(sent.job);
  check_turn(rank_of(what.worker), index);
  const auto found = std::ranges::find_if(orphans_, [&](const chunk& each) {
    return each.job == index && each.first + each.done == sent.next_item();
  });
  require(found != orphans_.end(), "only what a worker has left is sent again");
  chunk again = *found;
  orphans_.erase(found);
  require(std::ranges::none_of(orphans_,
                               [&](const chunk& other) {
                                 return other.job == again.job &&
                                        other.first + other.done < again.first + again.done;
                               }),
          "what came first is sent again first");
  require(sent.done == again.done && again.done < sent.end && sent.end <= again.count,
          "there is something to be done in what is sent again");
  require(!chunks_.contains(what.chunk), "a chunk is with one worker");
  if (sent.end < again.count) {  // a part of it stays behind
    chunk rest = again;
    rest.done = again.count = sent.end;
    orphans_.push_back(rest);
  }
  again.done_before = again.done;
  chunks_[what.chunk] = again;
  worker& to = at(rank_of(what.worker));
  to.held.push_back(what.chunk);
  to.refused = false;
}

// How many items are not claimed, but for the one that a worker is about to begin when it begins.
inline std::size_t world::could_come_back(const worker& one, std::size_t unit) const {
  std::size_t items = 0;
  for (std::size_t place = one.place; place < one.held.size(); ++place) {
    const chunk& each = chunks_.at(one.held[place]);
    items += each.count - (place == one.place && one.begun ? one.claimed : each.done);
  }
  if (one.begun || one.place > 0 || one.held.empty()) return items;
  const chunk& first = chunks_.at(one.held.front());
  return items - std::min(first.count - first.done, unit);
}

inline void world::perform(const action::revoke& what) {
  worker& from = at(rank_of(what.victim));
  require(from.now == life::serving && !from.held.empty(), "a worker that is asked has something");
  const std::size_t index = chunks_.at(from.held.front()).job;
  if (!running(index)) {
    require(what.min == 1 && !what.spares_next, "of a dropped job everything comes back");
    return revoke(from, what);
  }
  require(what.unit == unit_of(index), "it is known how many items are begun at once");
  const bool to_share = std::ranges::any_of(
      workers_, [](const worker& each) { return each.now == life::serving && each.held.empty(); });
  require(!what.only_if_cheap || to_share, "only for workers that have nothing must it be cheap");
  require(from.times_taken < stealing::max_revocations, "no worker is robbed again and again");
  bool somebody_waits = false;
  for (std::size_t other = 0; other < jobs_.size(); ++other) {
    somebody_waits = somebody_waits ||
                     (can_give(other) && chunks_under_way(other) + 2 <= chunks_under_way(index));
  }
  require(to_share || somebody_waits, "a job gives way to one that has less");
  require(what.only_if_cheap || somebody_waits || has_waited_,
          "for workers that have nothing it must be cheap, until they have waited");
  revoke(from, what);
}

inline void world::revoke(worker& from, const action::revoke& what) {
  if (std::exchange(refuse_next_, false)) {
    from.refused = true;
    return;
  }
  if (could_come_back(from, what.spares_next ? what.unit : 0) < what.min) return;
  ++from.times_taken;
  const auto leave = [&](const chunk& each) {
    if (running(each.job)) orphans_.push_back(each);
  };
  const std::size_t first = from.begun ? from.place + 1 : from.place;
  const chunk_id begun = first > 0 ? from.held[first - 1] : 0;
  std::size_t kept = 0;
  if (begun != 0) {
    chunk& cut = chunks_.at(begun);
    kept = from.begun ? from.claimed : cut.count;
    if (kept < cut.count) {
      chunk rest = cut;
      cut.count = rest.done = kept;
      leave(rest);
    }
  }
  for (std::size_t place = first; place < from.held.size(); ++place) {
    leave(chunks_.at(from.held[place]));
    chunks_.erase(from.held[place]);
  }
  from.held.resize(first);
  scheduler_.revoked(what.victim, begun, kept);
}

inline void world::perform(const action::crash& what) {
  require(!to_crash_.empty() && what.items == to_crash_.front(),
          "a worker's death costs what it may have begun");
  to_crash_.erase(to_crash_.begin());
  const std::size_t index = index_of(what.items.job);
  finish_items(index, what.items.first, what.items.count);
  if (!plan_->jobs[index].ends_at_first_failure || !running(index)) return;
  drop(index);
  jobs_[index].may_still_finish = true;
  scheduler_.drop_job(what.items.job, false);
}

inline void world::perform(const action::finish& what) {
  job& ended = jobs_[index_of(what.job)];
  if (std::exchange(ended.may_still_finish, false)) return;
  require(ended.now == end::running, "a job finishes once");
  require(ended.input_ended && ended.finished == ended.cut, "a job finishes after its items");
  ended.now = end::finished;
}

inline void world::perform(const action::give_up& what) {
  require(nobody_alive(), "nothing is given up while a worker is alive");
  for (const auto& each : what.jobs) {
    const job& owner = jobs_[index_of(each.id)];
    std::size_t count = 0;
    for (const item_range& items : each.unfinished) {
      count += items.count;
      for (std::size_t item = items.first; item < items.first + items.count; ++item) {
        require(owner.items[item] == fate::out, "what is given up was not finished");
      }
    }
    require(each.cut == owner.cut && owner.finished + count == owner.cut,
            "all that was not finished is given up");
  }
  require(gave_up(), "three tries come before giving up, and many that others have ended");
  for (std::size_t index = 0; index < jobs_.size(); ++index) {
    if (running(index)) drop(index);
  }
}

inline void world::perform(const action::kill& what) {
  require(std::erase(to_kill_, rank_of(what.worker)) == 1,
          "only a worker that has to die is killed, once");
  at(rank_of(what.worker)).now = life::dying;
}

inline void world::perform(const action::stop& what) {
  require(at(rank_of(what.worker)).now == life::serving,
          "a worker that is asked to leave is there");
  require(closed_ && !any_running(), "nobody leaves while there is work");
  at(rank_of(what.worker)).now = life::leaving;
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
  const bool orphans =
      std::ranges::any_of(orphans_, [=](const chunk& each) { return each.job == index; });
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
    require(each.held.size() <= giving::max_held, "no worker holds too many chunks");
  }
  require(scheduler_.workers_ready() == serving, "the number of ready workers is known");
  require(scheduler_.gone() == (all_gone_ == 1), "whether all are gone is known");
  // With items this long nothing is too little to be shared.
  if (idle && plan_->revocable && plan_->busy >= std::chrono::seconds{1}) {
    for (const worker& each : workers_) {
      if (each.now != life::serving || each.times_taken == stealing::max_revocations) continue;
      if (each.held.empty() || each.refused) continue;
      const std::size_t index = chunks_.at(each.held.front()).job;
      require(!running(index) || could_come_back(each, unit_of(index)) == 0,
              "nobody is idle while somebody else has more than it runs");
    }
  }
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
    const int ready = scheduler_.workers_ready();
    require(ready == plan_->processes || (ready > 0 && scheduler_.next_deadline()) ||
                (ready == 0 && gave_up()),
            "every rank is filled");
  }
}

}  // namespace scheduler_model
