// SPDX-License-Identifier: BSL-1.0
#include "rules.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "timing/timing.hpp"
#include "told_errors.hpp"

namespace simulation {

namespace timing = coterie::detail::timing;
using std::chrono::seconds;

namespace {

constexpr std::array<const char*, 4> fate_names{"returns", "throws", "crashes", "hangs"};

}  // namespace

void rules::broken(std::string what) {
  if (!fault_.empty()) return;
  fault_ = std::move(what);
  tell("BROKEN: ", fault_);
}

bool rules::all_ended() const {
  return std::ranges::all_of(calls_, [](const auto& each) { return each.second.ended; });
}

// ---- items ------------------------------------------------------------------------------------

void rules::item_begins(const order& what, const simulated_worker& in) {
  tell("worker ", in.rank(), " (pid ", in.pid(), ") begins item ", what.index, " of call ",
       what.call, ", which ", fate_names[static_cast<std::size_t>(what.does)]);
  item_record& item = calls_.at(what.call).items.at(what.index);
  worker_record& record = workers_.at(in.pid());
  if (!std::exchange(record.in_item, true)) ++in_item_;
  note_progress();
  // It cannot be kept from running what is not its own any more, nor from running it twice.
  if ((record.spoils & claims) != 0 &&
      (item.held_by != in.pid() || (item.begun > 0 && item.begun_by == in.pid())))
    return;
  if (item.held_by != in.pid()) broken("an item was begun by another worker than it was sent to");
  if (++item.begun > 1) broken("an item was begun twice");
  if (item.outcomes > 0 && !can_spoil(item, values)) {
    broken("an item was begun after its outcome was told");
  }
  if (calls_.at(what.call).plan.throws.is(place::encoding, what.index)) {
    broken("an item was begun that could not be encoded");
  }
  item.begun_by = in.pid();
  record.last_begun = {what.call, what.index};
}

void rules::item_over(const order& what, const simulated_worker& in) {
  item_record& item = calls_.at(what.call).items.at(what.index);
  worker_record& record = workers_.at(in.pid());
  if (std::exchange(record.in_item, false)) --in_item_;
  note_progress();
  if (item.begun_by != in.pid()) return;
  item.over = true;
  record.unsent.push_back(&item);
  if (!record.shares_memory) return;
  const nanoseconds silence = loop_.now() - record.heard_of;
  const auto latest = loop_.now() + std::clamp<nanoseconds>(2 * silence, timing::link_check,
                                                            timing::idle_link_check);
  untold_.emplace(latest + some_time, untold{.item = &item, .by = in.pid()});
}

item_record* rules::outcome_of(std::uint64_t id, std::size_t index) {
  note_progress();
  simulated_call& of = calls_.at(id);
  if (of.ended) {
    broken("an outcome came after the end of its call");
    return nullptr;
  }
  if (of.must_end) broken("an outcome came although the program's code had thrown");
  if (index >= of.plan.input_size()) {
    broken("an outcome came of an item that is none");
    return nullptr;
  }
  item_record& item = of.items[index];
  if (++item.outcomes > 1) broken("an item has two outcomes");
  const auto heard = loop_.now();
  if (const auto by = workers_.find(item.begun_by); by != workers_.end())
    by->second.heard_of = heard;
  ++of.outcomes;
  if (of.plan.form == call_form::stream && of.unread++ == 0) when_unread(id);
  return &item;
}

void rules::item_returned(std::uint64_t id, std::size_t index, bool right) {
  tell("call ", id, ": item ", index, right ? " returned" : " returned something else");
  item_record* const item = outcome_of(id, index);
  if (item == nullptr) return;
  if (!item->told) broken("a result came of an item of which no frame speaks");
  if (can_spoil(*item, values)) return;
  if (!right) broken("a wrong value came for item " + std::to_string(index));
  // A worker that denied to have begun an item may have it again, and tell the first result.
  if (!item->over && !can_spoil(*item, claims)) {
    broken("a result came of an item that has not ended");
  }
  if (item->what.does != fate::returns) broken("a result came of an item that has none");
}

void rules::item_failed(std::uint64_t id, std::size_t index, const std::exception_ptr& why) {
  tell("call ", id, ": item ", index, " failed: ", text_of_error(why));
  item_record* const item = outcome_of(id, index);
  if (item == nullptr) return;
  calls_.at(id).failed_with = why;
  check_failure(calls_.at(id), *item, why);
}

// ---- calls ------------------------------------------------------------------------------------

void rules::taker_throws(std::uint64_t id) {
  tell("call ", id, ": the program's code throws");
  if (!std::exchange(calls_.at(id).must_end, true)) ++must_end_;
}

void rules::call_ended(std::uint64_t id, const std::exception_ptr& why) {
  simulated_call& ended = calls_.at(id);
  tell("call ", id, " ends", why ? ": " + text_of_error(why) : std::string{});
  if (std::exchange(ended.ended, true)) broken("a call ended twice");
  note_progress();
  check_end(ended, id, why);
  if (std::exchange(ended.must_end, false)) --must_end_;
}

// ---- at any time ------------------------------------------------------------------------------

void rules::check_turn() {
  for (const pid_t each : std::exchange(heard_, {})) shown_by(each);
  for (const item_record* const each : std::exchange(due_, {})) {
    if (each->outcomes == 0 && !calls_.at(each->what.call).ended) {
      broken(each->told ? "an outcome came and was not told" : "a loss was not told");
    }
  }
  if (must_end_ > 0) broken("a call goes on although the program's code has thrown");
}

// Where memory is shared, no result waits behind a long item: the parent finds it, at the latest
// when twice the time has passed that it took since it heard of the worker.
void rules::check_times() {
  for (; !untold_.empty() && untold_.begin()->first < loop_.now(); untold_.erase(untold_.begin())) {
    const auto [what, by] = untold_.begin()->second;
    const item_record& item = *what;
    if (item.begun_by == by && !workers_.at(by).is_over && item.outcomes == 0 &&
        !calls_.at(item.what.call).ended && !can_spoil(item, delays)) {
      broken("a result is there, and is not told: of item " + std::to_string(item.what.index) +
             " of call " + std::to_string(item.what.call));
    }
  }
  for (; !unseen_.empty() && unseen_.begin()->first < loop_.now(); unseen_.erase(unseen_.begin())) {
    if (!workers_.at(unseen_.begin()->second).is_over) broken("a worker lives that must not");
  }
}

// As long as there is something to do, something happens: at the latest when the parent checks its
// links, or, while no worker lives, when a start is tried again.
void rules::check_quiet(bool served) {
  if (in_item_ > 0) return;
  const auto is_wanted = [](const simulated_call& each) {
    return each.made && !each.ended && each.unread == 0;
  };
  if (std::ranges::none_of(calls_, [&](const auto& each) { return is_wanted(each.second); })) {
    return note_progress();
  }
  const nanoseconds longest =
      served ? timing::idle_link_check + some_time : timing::longest_restart_pause + seconds{6};
  if (loop_.now() - last_progress_ <= longest) return;
  if (std::ranges::any_of(calls_, [&](const auto& each) {
        return is_wanted(each.second) && waits_for_stuck(each.second);
      })) {
    return;
  }
  broken("there is something to do, and nothing is done");
}

// For a hostile worker that does nothing: it holds items, or no other worker serves.
bool rules::waits_for_stuck(const simulated_call& call) const {
  std::size_t serving = 0;
  std::size_t stuck = 0;
  for (const auto& [pid, each] : workers_) {
    if (!each.is_ready || each.is_over) continue;
    ++serving;
    if ((each.spoils & progress) != 0) ++stuck;
  }
  if (stuck > 0 && stuck == serving) return true;
  return std::ranges::any_of(call.items, [&](const item_record& each) {
    return each.outcomes == 0 && can_spoil(each, progress) && !workers_.at(each.held_by).is_over;
  });
}

}  // namespace simulation
