// SPDX-License-Identifier: BSL-1.0

// What becomes of the items that workers hold.

#include <algorithm>
#include <utility>

#include "rules.hpp"
#include "timing/timing.hpp"

namespace simulation {

namespace timing = coterie::detail::timing;
using coterie::detail::claimed_items;
using coterie::detail::frame_header;
using coterie::detail::message::run;

namespace {

// So many workers in a row may end before they have begun a chunk.
constexpr std::size_t most_losses = 16;

std::size_t count_of(const std::vector<item_range>& ranges) {
  std::size_t count = 0;
  for (const item_range& each : ranges) count += each.count;
  return count;
}

}  // namespace

// ---- workers ----------------------------------------------------------------------------------

void rules::worker_started(const simulated_worker& worker) {
  tell("worker ", worker.rank(), " (pid ", worker.pid(), ") starts");
  worker_record& record = workers_[worker.pid()];
  record.shares_memory = worker.shares_memory();
  record.shown = evidence{worker.shares_memory()};
  note_progress();
}

void rules::worker_over(const simulated_worker& worker) {
  tell("worker ", worker.rank(), " (pid ", worker.pid(), ") is over, status ",
       worker.wait_status());
  worker_record& record = workers_.at(worker.pid());
  if (worker.wait_status() != 0) ++deaths_;
  record.is_over = true;
  if (std::exchange(record.in_item, false)) --in_item_;
  note_progress();
}

void rules::killed_by_parent(const simulated_worker& worker) {
  workers_.at(worker.pid()).is_killed = true;
}

// Not those that their parent killed, unless they have given it a reason.
std::size_t rules::crashes() const {
  return static_cast<std::size_t>(std::ranges::count_if(workers_, [](const auto& each) {
    const worker_record& of = each.second;
    return of.was_hostile || (of.is_over && !of.is_killed);
  }));
}

void rules::next_chunk(const simulated_worker& worker) {
  worker_record& record = workers_.at(worker.pid());
  for (item_record* const each : record.unsent) each->sent = true;
  record.unsent.clear();
}

// ---- hostile workers --------------------------------------------------------------------------

void rules::was_hostile(const simulated_worker& worker, const hostile_act& did) {
  tell("worker ", worker.rank(), " (pid ", worker.pid(), ") is hostile: it ", did.what);
  worker_record& record = workers_.at(worker.pid());
  record.was_hostile = true;
  if ((did.spoils & ~record.spoils & progress) != 0) when_stuck(worker.pid());
  record.spoils |= did.spoils;
  if (did.must_be_seen) {
    unseen_.emplace(loop_.now() + timing::idle_link_check + some_time, worker.pid());
  }
}

void rules::refused(pid_t worker) {
  tell("worker (pid ", worker, ") is refused");
  worker_record& record = workers_.at(worker);
  if (!record.was_hostile) broken("a worker was refused that keeps the rules");
  record.shown.refuse();
}

void rules::believed_nonetheless(pid_t) {
  broken("the claims of a worker were read that cannot be believed");
}

// Whether the worker that holds the item is hostile in a way that can do this to it.
bool rules::can_spoil(const item_record& item, unsigned what) const {
  const auto found = workers_.find(item.held_by);
  return found != workers_.end() && (found->second.spoils & what) != 0;
}

// ---- what they hold ---------------------------------------------------------------------------

// With what has been told last.
evidence& rules::shown_by(pid_t worker) {
  worker_record& record = workers_.at(worker);
  const auto at = calls_.find(record.shown.job());
  record.shown.conclude(at != calls_.end() && at->second.ended);
  if (record.shown.refused() && !record.was_hostile) {
    broken("a worker that keeps the rules has said what no such worker says");
  }
  return record.shown;
}

template <class Action>
void rules::for_each_wanted(const item_range& items, Action action) {
  const auto of = calls_.find(items.job);
  if (of == calls_.end() || of->second.ended) return;
  for (std::size_t i = items.first; i < items.first + items.count; ++i) {
    action(of->second.items.at(i));
  }
}

void rules::chunk_sent(pid_t worker, const run& what) {
  shown_by(worker).sent(what);
  const simulated_call& to = calls_.at(what.job);
  if (!to.ended && what.first + what.end > to.plan.input_size()) {
    return broken("items were sent that the input does not have");
  }
  const item_range items{.job = what.job,
                         .first = static_cast<std::size_t>(what.first) + what.begin,
                         .count = what.end - what.begin};
  for_each_wanted(items, [&](item_record& item) {
    if (item.held_by != 0) broken("an item was sent to a worker while another one holds it");
    if (item.lost_with != 0) broken("an item was sent again that was lost with its worker");
    if (item.outcomes > 0) broken("an item was sent again that has an outcome");
    item.over = item.sent = false;
    item.held_by = worker;
  });
}

void rules::frame_taken(pid_t worker, const frame_header& what) {
  worker_record& record = workers_.at(worker);
  ++record.frames_taken;
  if (what.kind == coterie::detail::message_kind::ready) record.is_ready = true;
  for_each_wanted(shown_by(worker).told(what), [&](item_record& item) {
    item.told = true;
    due_.push_back(&item);
  });
  heard_.push_back(worker);
}

// It waits for another worker. `hidden`: what the worker did that held it may hide that it
// has begun the item.
void rules::set_free(const item_range& items, unsigned hidden) {
  for_each_wanted(items, [&](item_record& item) {
    if (item.begun > 0 && !can_spoil(item, hidden)) {
      broken("an item that was begun is to be begun again");
    }
    item.begun = 0;
    item.begun_by = item.held_by = 0;
  });
}

void rules::rest_revoked(pid_t worker, const claimed_items& seen) {
  evidence& shown = shown_by(worker);
  const auto at = calls_.find(shown.job());
  if (at == calls_.end()) {
    // What a hostile worker has said of a call that has ended is not followed to the end.
    if (!workers_.at(worker).was_hostile) broken("items were revoked of a worker that holds none");
    return;
  }
  const std::size_t unit = std::max<std::size_t>(at->second.plan.chunksize, 1);
  for (const item_range& each : shown.revoked(seen, unit)) set_free(each, claims);
}

void rules::given_up(pid_t worker, std::uint64_t said) {
  const verdict found = shown_by(worker).ended(said);
  tell("worker (pid ", worker, ") is given up: ", count_of(found.lost), " items are lost, ",
       count_of(found.free), " are free");
  const worker_record& record = workers_.at(worker);
  if (!record.was_hostile) {
    if (!found.is_honest) {
      broken("a worker that keeps the rules has shown what no such worker shows");
    }
    if (!record.shares_memory && record.frames_taken != record.frames_sent) {
      broken("a message was lost that had been sent");
    }
  }
  for (const item_range& each : found.lost) {
    for_each_wanted(each, [&](item_record& item) { lose(item, worker); });
  }
  bool in_front = found.is_honest;
  for (item_range each : found.free) {
    if (std::exchange(in_front, false)) {
      const std::size_t lost = lose_unreached(each, found.begun, worker);
      each = {.job = each.job, .first = each.first + lost, .count = each.count - lost};
    }
    set_free(each, claims | losses);
  }
}

void rules::lose(item_record& item, pid_t with) {
  item.lost_with = with;
  due_.push_back(&item);
}

// A chunk that has been with so many workers, none of which has begun it, loses its next item.
// Returns how many items are lost.
std::size_t rules::lose_unreached(const item_range& front, bool begun, pid_t with) {
  bool is_first = true;
  bool too_often = false;
  for_each_wanted(front, [&](item_record& item) {
    item.not_reached = begun ? 0 : item.not_reached + 1;
    if (std::exchange(is_first, false)) {
      too_often = item.not_reached >= most_losses;
      if (too_often) lose(item, with);
    }
    if (too_often) item.not_reached = 0;
  });
  return too_often ? 1 : 0;
}

}  // namespace simulation
