// SPDX-License-Identifier: BSL-1.0

// Which errors items fail with, and calls end with.

#include <utility>

#include "rules.hpp"
#include "told_errors.hpp"

namespace simulation {

void rules::check_failure(const simulated_call& of, const item_record& item,
                          const std::exception_ptr& why) {
  const std::string text = text_of_error(why);
  if (as<coterie::worker_crashed>(why) != nullptr) return check_crash(item, why);
  if (as<coterie::start_failed>(why) != nullptr) {
    if (item.held_by != 0) broken("an item that a worker holds failed for want of a worker");
    return;
  }
  if (is_breach(why)) return check_breach(item, text);
  if (const auto* const thrown = as<thrown_by_program>(why)) {
    if (!of.plan.throws.is(place::encoding, item.what.index) || thrown->call != item.what.call ||
        thrown->where != place::encoding || thrown->index != item.what.index) {
      broken("an item failed by what was thrown elsewhere");
    }
    return;
  }
  if (!item.told) broken("an item failed of which no frame speaks");
  if (can_spoil(item, values)) return;
  if (item.what.does != fate::throws || !item.over) broken("an item failed that did not");
  if (!has(text, std::to_string(answer_of(item.what)))) {
    broken("an item failed with the error of another");
  }
}

// With which worker an item may be lost follows from what that has shown: see `given_up`.
void rules::check_breach(const item_record& item, const std::string& text) {
  if (item.lost_with == 0) return broken("an item failed by a breach of which nothing was seen");
  if (!workers_.at(item.lost_with).shown.refused()) {
    broken("an item failed by a breach of the rules that its worker has kept");
  }
  if (!has(text, "(pid " + std::to_string(item.lost_with) + ")")) {
    broken("a breach of the rules names another worker");
  }
}

void rules::check_crash(const item_record& item, const std::exception_ptr& why) {
  const auto& crash = *as<coterie::worker_crashed>(why);
  if (item.lost_with == 0) return broken("a crash cost an item that cannot have begun");
  if (item.lost_with != crash.pid()) broken("a crash names a worker that did not hold the item");
  if (crash.item() != item.what.index) broken("a crash names another item");
  const worker_record& record = workers_.at(item.lost_with);
  if (!record.is_over) broken("a crash was told of a worker that lives");
  if (record.shown.refused()) broken("a breach of the rules was told as a crash");
  if ((record.spoils & (losses | claims)) != 0) return;
  if (item.sent) broken("a result was lost that had been sent");
  if (record.shares_memory && item.begun > 0 &&
      record.last_begun != std::pair{item.what.call, std::size_t{item.what.index}}) {
    broken("an item was lost that was not the last one of its worker");
  }
}

void rules::check_end(const simulated_call& ended, std::uint64_t id,
                      const std::exception_ptr& why) {
  const call_plan& plan = ended.plan;
  if (!why) {
    if (ended.must_end) broken("a call ended well although the program's code had thrown");
    if (is_in_input(plan.throws.where)) broken("a call ended well although its input had thrown");
    if (ended.outcomes != ended.items.size()) {
      broken("a call ended, and not all of its items have outcomes");
    }
    return;
  }
  const auto* const thrown = as<thrown_by_program>(why);
  if (ended.must_end && thrown == nullptr) broken("what the program's code had thrown was lost");
  if (why == ended.failed_with) return;
  if (thrown != nullptr) {
    const bool taking = thrown->where == place::taking || thrown->where == place::finishing;
    if (thrown->call != id || taking != ended.must_end) {
      broken("a call ended by what the program threw elsewhere");
    }
    if (!taking && thrown->where != plan.throws.where) broken("a call ended by what is no end");
    if (is_in_input(thrown->where) && plan.form == call_form::stream &&
        ended.outcomes != plan.input_size()) {
      broken("a stream ended before all outcomes of what was read had been told");
    }
  } else if (as<call_cancelled>(why) != nullptr) {
    if (!ended.cancelled) broken("a call was cancelled by nothing");
  } else if (as<coterie::pool_terminated>(why) != nullptr) {
    if (!terminated_) broken("a pool was terminated by nothing");
  } else if (as<coterie::pool_closed>(why) != nullptr) {
    if (!ended.made_late) broken("a pool refused a call although it was open");
  } else if (as<coterie::start_failed>(why) == nullptr) {
    broken("a call ended by an error that was not to come");
  }
}

}  // namespace simulation
