// SPDX-License-Identifier: BSL-1.0
#include "schedule/ledger.hpp"

#include <algorithm>
#include <utility>

#include "schedule/bounded_time.hpp"
#include "system/invariant.hpp"

namespace coterie::detail {

const ledger::chunk* ledger::find(chunk_id id) const {
  const auto found = chunks_.find(id);
  return found == chunks_.end() ? nullptr : &found->second;
}

const ledger::holding& ledger::held_by(worker_id worker) const {
  static const holding nothing;
  const auto found = holdings_.find(worker);
  return found == holdings_.end() ? nothing : found->second;
}

const ledger::chunk* ledger::current(worker_id worker) const {
  const holding& held = held_by(worker);
  return held.chunks.empty() ? nullptr : find(held.chunks.front());
}

bool ledger::is_current(worker_id worker, chunk_id id) const {
  const holding& held = held_by(worker);
  return !held.chunks.empty() && held.chunks.front() == id;
}

// What was claimed when the rest was revoked counts too: results of these may be open behind a
// long item.
bool ledger::may_be_silent(const holding& held) const {
  return held.chunks.size() > 2 || std::ranges::any_of(held.chunks, [this](chunk_id each) {
           const chunk& known = chunks_.at(each);
           return known.end > known.begin + 1;
         });
}

// ---- to a worker ------------------------------------------------------------------------------

chunk_id ledger::add(chunk made) {
  const chunk_id id = ++last_;
  if (auto node = spare_.take()) {
    node.key() = id;
    node.mapped() = std::move(made);
    chunks_.insert(std::move(node));
  } else {
    chunks_.emplace(id, std::move(made));
  }
  return id;
}

void ledger::erase(table::const_iterator gone) {
  if (gone == chunks_.end()) return;
  auto node = chunks_.extract(gone);
  node.mapped().items.reset();
  spare_.keep(std::move(node));
}

chunk_id ledger::open(job_id job, worker_id holder, std::size_t first) {
  const chunk_id id = add({.job = job, .holder = holder, .first = first});
  holding& held = holdings_[holder];
  held.job = job;
  held.chunks.push_back(id);
  return id;
}

void ledger::fill(chunk_id id, std::size_t count, std::chrono::nanoseconds expected,
                  std::shared_ptr<const byte_buffer> items) {
  chunk& filled = chunks_.at(id);
  filled.end = count;
  filled.expected = expected;
  filled.items = std::move(items);
  holdings_.at(filled.holder).expected += expected;
}

void ledger::give(chunk_id id, worker_id holder) {
  chunk& given = chunks_.at(id);
  given.holder = holder;
  given.number = 0;
  given.begin = given.done;
  given.claimed = 0;
  given.shortened = false;
  holding& held = holdings_[holder];
  held.job = given.job;
  held.chunks.push_back(id);
  held.expected += given.expected;
}

const ledger::chunk& ledger::sent(chunk_id id) {
  chunk& goes = chunks_.at(id);
  goes.number = ++holdings_.at(goes.holder).sent;
  return goes;
}

chunk_id ledger::split(chunk_id id, std::size_t at) {
  chunk& whole = chunks_.at(id);
  chunk rest = whole;
  rest.holder = 0;
  rest.begin = rest.done = at;
  rest.expected = share_of(whole.expected, whole.end - at, whole.end - whole.begin);
  whole.expected -= rest.expected;
  whole.end = at;
  return add(std::move(rest));
}

// ---- from a worker ----------------------------------------------------------------------------

bool ledger::items_done(worker_id worker, chunk_id id, std::size_t count) {
  if (!is_current(worker, id)) return false;
  chunk& running = chunks_.at(id);
  if (count > running.left()) return false;
  running.done += count;
  return true;
}

void ledger::close(chunk_id id) {
  const auto found = chunks_.find(id);
  invariant(found != chunks_.end(), "a chunk was closed twice");
  holding& held = holdings_.at(found->second.holder);
  held.expected -= found->second.expected;
  const auto place = std::ranges::find(held.chunks, id);
  invariant(place != held.chunks.end(), "a chunk was closed that its holder did not hold");
  held.chunks.erase(place);
  erase(found);
}

std::deque<chunk_id> ledger::revoke(worker_id worker, chunk_id begun, std::size_t kept) {
  holding& held = holdings_.at(worker);
  std::deque<chunk_id> back;
  auto behind = std::ranges::find(held.chunks, begun);
  if (behind == held.chunks.end()) {
    behind = held.chunks.begin();
  } else {
    ++behind;
    chunk& cut = chunks_.at(begun);
    kept = std::max(kept, cut.done);
    cut.claimed = kept;
    if (kept < cut.end) {
      cut.shortened = true;
      const auto before = cut.expected;
      back.push_back(split(begun, kept));
      held.expected -= before - chunks_.at(begun).expected;
    }
  }
  for (auto each = behind; each != held.chunks.end(); ++each) {
    chunk& whole = chunks_.at(*each);
    whole.holder = 0;
    held.expected -= whole.expected;
    back.push_back(*each);
  }
  held.chunks.erase(behind, held.chunks.end());
  return back;
}

ledger::losses ledger::lose(worker_id worker, std::size_t begun, bool everything) {
  losses found;
  const auto holder = holdings_.find(worker);
  if (holder == holdings_.end()) return found;
  const std::deque<chunk_id> held = std::exchange(holder->second, {}).chunks;
  bool in_front = true;
  for (const chunk_id id : held) {
    chunk& each = chunks_.at(id);
    invariant(each.holder == worker, "two workers held a chunk");
    each.holder = 0;
    const std::size_t first = each.next_item();
    std::size_t count = 0;
    if (everything) {
      count = each.left();
      each.done = each.end;
    } else if (in_front) {
      count = lose_items(each, begun);
    }
    in_front = false;
    if (count > 0) found.lost.push_back({.job = each.job, .first = first, .count = count});
    if (each.left() == 0) {
      erase(chunks_.find(id));
    } else {
      found.back.push_back(id);
    }
  }
  return found;
}

std::size_t ledger::lose_items(chunk& of, std::size_t begun) {
  if (begun > 0 || of.done > of.begin) {
    of.losses = 0;
  } else if (++of.losses >= max_losses) {
    of.losses = 0;
    begun = 1;
  }
  const std::size_t lost = std::min(begun, of.left());
  of.done += lost;
  return lost;
}

}  // namespace coterie::detail
