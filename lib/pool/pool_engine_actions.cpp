// SPDX-License-Identifier: BSL-1.0

// What the scheduler wants done, done.

#include <cstddef>
#include <utility>

#include <coterie/error.hpp>

#include "pool/pool_engine.hpp"

namespace coterie::detail {

// ---- processes --------------------------------------------------------------------------------

void pool_engine::perform(const action::spawn& what) {
  host_.start(what.worker, what.rank, what.incarnation);
}

void pool_engine::perform(const action::kill& what) {
  if (scheduler_.find(what.worker)->killed == kill_reason::start_timed_out) {
    return host_.kill(what.worker, "it was not ready within pool_options::start_timeout");
  }
  host_.kill(what.worker);
}

void pool_engine::perform(const action::stop& what) { host_.stop(what.worker); }

void pool_engine::perform(const action::all_gone&) {
  for (joiner& each : std::exchange(joiners_, {})) {
    complete(std::move(each.handler), jobs_.due, finalizer_error_);
  }
}

// ---- jobs -------------------------------------------------------------------------------------

void pool_engine::perform(const action::cut& what) { jobs_.cut(what); }

void pool_engine::perform(const action::resend& what) {
  jobs_.send_chunk(what.worker, what.chunk, false);
}

void pool_engine::perform(const action::finish& what) { jobs_.finish(what.job); }

void pool_engine::perform(const action::give_up& what) {
  const auto error = std::make_exception_ptr(start_failed{last_start_error_});
  for (const auto& each : what.jobs) jobs_.give_up(each, error);
}

void pool_engine::perform(const action::crash& what) {
  const worker_end& end = ended_.at(what.worker);
  const std::size_t behind = what.items.first + what.items.count;
  // The first may be the end of the job.
  for (std::size_t item = what.items.first; item < behind && jobs_.contains(what.items.job);
       ++item) {
    jobs_.failure(what.items.job, item, crash_error(end, item));
  }
}

void pool_engine::perform(const action::revoke& what) {
  if (what.only_if_cheap && !is_cheap_to_move(what.victim)) return;
  const spare_next spare{what.spares_next};
  if (const auto kept = host_.revoke(what.victim, what.min, what.unit, spare)) {
    scheduler_.revoked(what.victim, kept->chunk, kept->items);
  }
}

// What lies in memory of one worker would have to be copied for another.
bool pool_engine::is_cheap_to_move(worker_id victim) const {
  const ledger::chunk* const chunk = scheduler_.chunks().current(victim);
  return chunk != nullptr && chunk->items != nullptr && chunk->items->memory() == nullptr;
}

}  // namespace coterie::detail
