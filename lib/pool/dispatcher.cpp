// SPDX-License-Identifier: BSL-1.0
#include "pool/dispatcher.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include <coterie/detail/exception_wire.hpp>
#include <coterie/error.hpp>

#include "schedule/revocation.hpp"

namespace coterie::detail {

namespace {

// A parent does not wait for a worker that claims again and again.
constexpr int most_tries = 8;

}  // namespace

dispatcher::dispatcher(const scheduler_settings& settings, std::uint64_t seed,
                       const make_host& host, runtime& runs_on, const home_process& home)
    : runtime_{runs_on},
      home_{home},
      scheduler_{settings},
      host_{host(*this)},
      jobs_{scheduler_, *host_, counters_, home, seed},
      timer_{runs_on.make_timer()} {}

expected_news dispatcher::expects(worker_id id) const {
  const ledger& chunks = scheduler_.chunks();
  const ledger::holding& held = chunks.held_by(id);
  if (held.chunks.empty()) return expected_news::none;
  return chunks.may_be_silent(held) ? expected_news::silent : expected_news::announced;
}

// ---- actions ----------------------------------------------------------------------------------

void dispatcher::settle() {
  while (const auto next = scheduler_.next()) {
    std::visit([this](const auto& what) { perform(what); }, *next);
    // The program's own code may have forked, and this be the child.
    if (!home_.is_here()) return;
  }
  host_->flush();
  if (!ended_.empty()) ended_.clear();
  counters_.workers_ready.store(scheduler_.workers_ready(), std::memory_order_relaxed);
  if (scheduler_.wants_time()) scheduler_.rest(runtime_.now());
  arm_timer();
}

void dispatcher::arm_timer() {
  if (!timer_) return;
  const auto deadline = scheduler_.next_deadline();
  // One that runs out earlier is left to run: that is cheaper than to set it again.
  if (deadline ? armed_for_ && *armed_for_ <= *deadline : !armed_for_) return;
  armed_for_ = deadline;
  if (!deadline) return timer_->cancel();
  timer_->call_at(*deadline, [this, owner = runtime_.share()] {
    armed_for_.reset();
    scheduler_.tick(runtime_.now());
  });
}

void dispatcher::terminate(const std::exception_ptr& error) {
  scheduler_.terminate();
  jobs_.end_all(error);
}

void dispatcher::reap_all() noexcept {
  timer_.reset();
  for (const worker_id each : host_->reap_all()) scheduler_.exited(each, runtime_.now());
}

void dispatcher::perform(const action::spawn& what) {
  host_->start(what.worker, what.rank, what.incarnation);
}

void dispatcher::perform(const action::kill& what) {
  if (scheduler_.find(what.worker)->killed == kill_reason::start_timed_out) {
    return host_->kill(what.worker, "it was not ready within pool_options::start_timeout");
  }
  host_->kill(what.worker, {});
}

void dispatcher::perform(const action::give_up& what) {
  const auto error = std::make_exception_ptr(start_failed{last_start_error_});
  for (const auto& each : what.jobs) jobs_.give_up(each, error);
}

void dispatcher::perform(const action::crash& what) {
  const worker_end& end = ended_.at(what.worker);
  const std::size_t behind = what.items.first + what.items.count;
  // The first may be the end of the job.
  for (std::size_t item = what.items.first; item < behind && jobs_.contains(what.items.job);
       ++item) {
    jobs_.failure(what.items.job, item, crash_error(end, item));
  }
}

void dispatcher::perform(const action::revoke& what) {
  if (what.only_if_cheap && !is_cheap_to_move(what.victim)) return;
  for (int tries = most_tries; tries > 0; --tries) {
    const auto seen = host_->claimed(what.victim);
    const auto kept = seen ? kept_after(what, *seen, scheduler_.chunks()) : std::nullopt;
    if (!kept) return;
    if (host_->revoke(what.victim, *seen)) {
      return scheduler_.revoked(what.victim, kept->chunk, kept->items);
    }
  }
}

// What lies in memory of one worker would have to be copied for another.
bool dispatcher::is_cheap_to_move(worker_id victim) const {
  const ledger::chunk* const chunk = scheduler_.chunks().current(victim);
  return chunk != nullptr && chunk->items != nullptr && chunk->items->memory() == nullptr;
}

void dispatcher::abandon() noexcept {
  scheduler_.terminate();
  reap_all();
  host_->abandon();
  counters_.workers_ready = 0;
  const auto due = std::exchange(jobs_.due, {});
  jobs_.abandon();
}

void dispatcher::stop_waiting() noexcept {
  if (timer_) timer_->cancel();
  host_->stop_waiting();
}

// ---- coming -----------------------------------------------------------------------------------

void dispatcher::started(worker_id id, bool lacks_memory) {
  pool_counters::add(counters_.workers_started);
  if (lacks_memory) pool_counters::add(counters_.workers_without_memory);
  scheduler_.started(id, runtime_.now());
}

void dispatcher::not_started(worker_id id, bool scarce, std::string why) {
  last_start_error_ = std::move(why);
  pool_counters::add(counters_.starts_failed);
  scheduler_.exited(id, runtime_.now(),
                    {.start = scarce ? start_failure::from_outside : start_failure::of_program});
}

// ---- working ----------------------------------------------------------------------------------

void dispatcher::said(worker_id id, const frame& what) {
  // A pool that was terminated has nothing under way: results of workers that it kills come still.
  if (scheduler_.phase() == pool_phase::terminated) return;
  switch (what.header.kind) {
    case message_kind::values:
      return take_values(id, what);
    case message_kind::failure:
      return take_failure(id, what);
    case message_kind::done:
      return take_done(id, what.header.as<message::done>());
    default:  // message::left
      if (!finalizer_error_) {
        finalizer_error_ = decode_exception(what.payload, host_->place_of(id, 0));
      }
  }
}

// Checks that these are the next items of the chunk that the worker is at. Returns their places in
// the input; empty if they are not.
std::optional<item_range> dispatcher::take_items(worker_id id, chunk_id chunk,
                                                 const item_range& in_chunk) {
  const ledger::chunk* const known = scheduler_.chunks().find(chunk);
  if (known != nullptr && (in_chunk.job != known->job || in_chunk.first != known->done)) {
    host_->disbelieve(id, "it sent results out of their order");
    return std::nullopt;
  }
  const std::size_t first = known != nullptr ? known->next_item() : 0;
  if (in_chunk.count == 0 || !scheduler_.items_done(id, chunk, in_chunk.count)) {
    host_->disbelieve(id, "it sent results that it was not asked for");
    return std::nullopt;
  }
  return item_range{.job = in_chunk.job, .first = first, .count = in_chunk.count};
}

// All of the last results may have been seen before they were sent.
void dispatcher::take_values(worker_id id, const frame& arrived) {
  const auto what = arrived.header.as<message::values>();
  if (what.count > 0 || what.busy == 0) {
    const auto items =
        take_items(id, what.chunk, {.job = what.job, .first = what.first, .count = what.count});
    if (!items) return;
    jobs_.values(*items, arrived.payload);
  }
  if (what.busy > 0) {
    take_done(id, {.job = what.job, .chunk = what.chunk, .busy = what.busy});
  }
}

void dispatcher::take_failure(worker_id id, const frame& arrived) {
  const auto what = arrived.header.as<message::failure>();
  const auto items = take_items(id, what.chunk, {.job = what.job, .first = what.item, .count = 1});
  if (!items || !jobs_.contains(items->job)) return;
  jobs_.failure(items->job, items->first,
                decode_exception(arrived.payload, host_->place_of(id, items->first)));
}

void dispatcher::take_done(worker_id id, const message::done& what) {
  constexpr auto longest = std::uint64_t{1} << 62U;
  const std::chrono::nanoseconds busy{std::min(what.busy, longest)};
  if (!scheduler_.chunk_done(id, what.chunk, busy)) {
    host_->disbelieve(id, "it ended a chunk that it was not at the end of");
  }
}

// ---- leaving ----------------------------------------------------------------------------------

void dispatcher::ended(worker_id id, const worker_end& how) {
  const bool by_itself = scheduler_.find(id)->killed == kill_reason::none;
  const bool from_outside = by_itself && ended_from_outside(how.wait_status);
  ended_.insert_or_assign(id, how);
  const worker_exit exit{
      .begun = may_have_begun(id),
      .start = from_outside ? start_failure::from_outside : start_failure::of_program};
  switch (scheduler_.exited(id, runtime_.now(), exit)) {
    case departure::start_failed:
      last_start_error_ = start_error_of(how);
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

// A worker whose items can be revoked shares memory, where its results are in sight.
std::size_t dispatcher::may_have_begun(worker_id id) const {
  const auto claimed = host_->claimed(id);
  if (!claimed) return worker_exit::everything;
  const auto unheard = scheduler_.find(id)->revocable ? unheard_items::one : unheard_items::all;
  return items_in_doubt(id, unheard, *claimed, scheduler_.chunks())
      .value_or(worker_exit::everything);
}

void dispatcher::take_last_words(const worker_end& end) {
  const int status = end.wait_status;
  if (finalizer_error_ || status == 0 || status == unknown_wait_status) return;
  finalizer_error_ = std::make_exception_ptr(
      error{errc::worker_crashed, text_of(end) + " while it was leaving: in its finalizer, or in "
                                                 "what runs at exit"});
}

}  // namespace coterie::detail
