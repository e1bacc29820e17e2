// SPDX-License-Identifier: BSL-1.0

// What the worker host tells, taken in: what workers say of their work, and how they come and go.

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include <coterie/detail/exception_wire.hpp>
#include <coterie/error.hpp>

#include "pool/pool_engine.hpp"
#include "pool/pool_engine_enter.hpp"

namespace coterie::detail {

void pool_engine::happened(host_event what) {
  enter(from::event_loop, [this, what = std::move(what)] { host_.take(what); });
}

// ---- coming -----------------------------------------------------------------------------------

void pool_engine::started(worker_id id, bool lacks_memory) {
  pool_counters::add(counters_.workers_started);
  if (lacks_memory) pool_counters::add(counters_.workers_without_memory);
  scheduler_.started(id, std::chrono::steady_clock::now());
}

void pool_engine::not_started(worker_id id, bool scarce, std::string why) {
  last_start_error_ = std::move(why);
  pool_counters::add(counters_.starts_failed);
  scheduler_.exited(id, std::chrono::steady_clock::now(),
                    {.start = scarce ? start_failure::from_outside : start_failure::of_program});
}

// ---- working ----------------------------------------------------------------------------------

void pool_engine::said(worker_id id, const frame& what) {
  switch (what.header.kind) {
    case message_kind::values:
      return take_values(id, what);
    case message_kind::failure:
      return take_failure(id, what);
    case message_kind::done:
      return take_done(id, what.header.as<message::done>());
    default:  // message::left
      if (!finalizer_error_) {
        finalizer_error_ = decode_exception(what.payload, host_.place_of(id, 0));
      }
  }
}

// Checks that these are the next items of the chunk that the worker is at. Empty if they are not.
std::optional<item_range> pool_engine::take_items(worker_id id, const message::values& what) {
  const ledger::chunk* const chunk = scheduler_.chunks().find(what.chunk);
  if (chunk != nullptr && (what.job != chunk->job || what.first != chunk->done)) {
    host_.disbelieve(id, "it sent results out of their order");
    return std::nullopt;
  }
  const std::size_t first = chunk != nullptr ? chunk->next_item() : 0;
  if (what.count == 0 || !scheduler_.items_done(id, what.chunk, what.count)) {
    host_.disbelieve(id, "it sent results that it was not asked for");
    return std::nullopt;
  }
  return item_range{.job = what.job, .first = first, .count = what.count};
}

void pool_engine::take_values(worker_id id, const frame& arrived) {
  if (const auto items = take_items(id, arrived.header.as<message::values>())) {
    jobs_.values(*items, arrived.payload);
  }
}

void pool_engine::take_failure(worker_id id, const frame& arrived) {
  const auto what = arrived.header.as<message::failure>();
  const auto items = take_items(
      id, {.job = what.job, .chunk = what.chunk, .first = what.item, .count = 1, .claimed = 0});
  if (!items || !jobs_.contains(items->job)) return;
  jobs_.failure(items->job, items->first,
                decode_exception(arrived.payload, host_.place_of(id, items->first)));
}

void pool_engine::take_done(worker_id id, const message::done& what) {
  constexpr auto longest = std::uint64_t{1} << 62U;
  const std::chrono::nanoseconds busy{std::min(what.busy, longest)};
  if (!scheduler_.chunk_done(id, what.chunk, busy)) {
    host_.disbelieve(id, "it ended a chunk that it was not at the end of");
  }
}

// ---- leaving ----------------------------------------------------------------------------------

void pool_engine::ended(worker_id id, const worker_end& how) {
  const bool by_itself = scheduler_.find(id)->killed == kill_reason::none;
  const bool from_outside = by_itself && ended_from_outside(how.wait_status);
  ended_.insert_or_assign(id, how);
  const worker_exit exit{
      .begun = may_have_begun(id),
      .start = from_outside ? start_failure::from_outside : start_failure::of_program};
  switch (scheduler_.exited(id, std::chrono::steady_clock::now(), exit)) {
    case departure::start_failed:
      last_start_error_ = how.start_error;
      pool_counters::add(counters_.starts_failed);
      break;
    case departure::left:
      take_last_words(how);
      break;
    case departure::crashed:
      pool_counters::add(counters_.workers_crashed);
      break;
    case departure::killed:
    case departure::unknown:
      break;
  }
}

// How many items of the chunk that it was at may have begun, beside those that it has told of.
std::size_t pool_engine::may_have_begun(worker_id id) const {
  const auto& held = scheduler_.chunks().held_by(id).chunks;
  if (held.empty()) return 0;
  const std::size_t done = scheduler_.chunks().at(held.front()).done;
  return host_.begun(id, held.front(), done).value_or(worker_exit::everything);
}

void pool_engine::take_last_words(const worker_end& end) {
  const int status = end.wait_status;
  if (finalizer_error_ || status == 0 || status == unknown_wait_status) return;
  finalizer_error_ = std::make_exception_ptr(
      error{errc::worker_crashed, text_of(end) + " while it was leaving: in its finalizer, or in "
                                                 "what runs at exit"});
}

}  // namespace coterie::detail
