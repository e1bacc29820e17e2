// SPDX-License-Identifier: BSL-1.0
#include "pool/open_jobs.hpp"

#include <algorithm>

#include <coterie/detail/seeds.hpp>
#include <coterie/error.hpp>

namespace coterie::detail {

namespace {

// A message of large items stays this small, whatever their time.
constexpr std::size_t enough_bytes = std::size_t{112} << 10U;

// Of an input whose items cannot run.
constexpr std::size_t most_cut_at_once = 1024;

shared_payload definition_of(job& work) {
  auto bytes = std::make_shared<byte_buffer>();
  const function_reference factory = work.factory();
  bytes->append(&factory, sizeof factory);
  work.encode_callable(*bytes);
  return bytes;
}

}  // namespace

// ---- beginning and end ------------------------------------------------------------------------

void open_jobs::begin(job_id id, const counted_ptr<job>& work) {
  std::exception_ptr error;
  shared_payload definition;
  if (scheduler_.phase() != pool_phase::open) {
    error = std::make_exception_ptr(pool_closed{});
  } else {
    try {
      definition = definition_of(*work);
    } catch (...) {
      error = std::current_exception();
    }
  }
  if (error) {
    one_less();
    return complete(*work, error);
  }
  const job_settings settings = work->settings();
  const job_limits limits =
      scheduler_.add_job(id, {.chunksize = settings.chunksize,
                              .window = settings.window,
                              .held_until_consumed = settings.held_until_consumed});
  // Made in its place: where it is moved, g++ 12 warns of Boost's small vectors at -O3.
  open_job& opened = jobs_[id];
  opened.work = work;
  opened.definition = std::move(definition);
  opened.chunksize = limits.chunksize;
  opened.is_stream = settings.held_until_consumed;
  opened.seed = settings.seed.value_or(split_seed(seed_, ++begun_));
}

void open_jobs::complete(job& work, std::exception_ptr error) {
  try {
    work.finish(std::move(error), due);
  } catch (...) {
    work.finish(std::current_exception(), due);
  }
}

void open_jobs::finish(job_id id) {
  const auto entry = jobs_.find(id);
  if (entry == jobs_.end()) return;
  const auto work = entry->second.work;
  forget(entry->second, id, false);
  jobs_.erase(entry);
  one_less();
  complete(*work, {});
}

void open_jobs::end(job_id id, const std::exception_ptr& error, bool kill) {
  const auto entry = jobs_.find(id);
  if (entry == jobs_.end()) return;
  const auto work = entry->second.work;
  drop(id, kill);
  complete(*work, error);
}

void open_jobs::end_all(const std::exception_ptr& error) {
  auto all = std::exchange(jobs_, {});
  for (auto& [id, each] : all) {
    one_less();
    complete(*each.work, error);
  }
}

void open_jobs::drop(job_id id, bool kill) {
  const auto entry = jobs_.find(id);
  forget(entry->second, id, true);
  jobs_.erase(entry);
  one_less();
  scheduler_.drop_job(id, kill);
}

void open_jobs::forget(open_job& gone, job_id id, bool cancelled) {
  for (const auto& [worker, known] : gone.told) {
    if (cancelled) {
      host_.send(worker, message::cancel{id});
    } else if (known == knowledge::ready) {
      host_.send(worker, message::forget{id});
    }
  }
}

void open_jobs::give_up(const action::give_up::job& left, const std::exception_ptr& error) {
  const auto entry = jobs_.find(left.id);
  if (entry == jobs_.end()) return;
  const auto work = entry->second.work;
  jobs_.erase(entry);
  one_less();
  complete(*work, work->settles_each() ? fail_rest(left, *work, error) : error);
}

// Each item that has no outcome yet fails alone: what is there is not lost. Returns what fails the
// call as a whole, which is what its input throws.
std::exception_ptr open_jobs::fail_rest(const action::give_up::job& left, job& work,
                                        const std::exception_ptr& error) {
  const auto fail = [&](std::size_t first, std::size_t count) {
    pool_counters::add(counters_.tasks_failed, count);
    for (std::size_t item = first; item < first + count; ++item) work.failure(item, error, due);
  };
  try {
    for (const item_range& each : left.unfinished) fail(each.first, each.count);
    std::size_t cut = left.cut;
    byte_buffer unsent;
    for (bool exhausted = false; !exhausted;) {
      unsent.clear();
      const auto taken =
          work.cut({.most = most_cut_at_once, .least = 1, .enough_bytes = enough_bytes}, unsent);
      exhausted = taken.exhausted || taken.count == 0;
      fail(cut, taken.count);
      cut += taken.count;
    }
    return {};
  } catch (...) {
    return std::current_exception();
  }
}

void open_jobs::abandon() noexcept {
  auto all = std::exchange(jobs_, {});
  for (auto& [id, each] : all) each.work->abandon();
}

// ---- to workers -------------------------------------------------------------------------------

void open_jobs::cut(const action::cut& what) {
  const auto entry = jobs_.find(what.job);
  if (entry == jobs_.end()) return scheduler_.cut_done(what.chunk, 0, true);
  const auto work = entry->second.work;
  auto items = std::make_shared<byte_buffer>(host_.payload_memory(what.worker));
  cut_result taken;
  try {
    taken = work->cut({.most = what.max, .least = what.min, .enough_bytes = enough_bytes}, *items);
  } catch (...) {
    end(what.job, std::current_exception(), false);
    return scheduler_.cut_done(what.chunk, 0, true);
  }
  if (!home_.is_here()) return;  // the input has forked
  scheduler_.cut_done(what.chunk, taken.count, taken.exhausted, std::move(items));
  if (taken.count > 0) send_chunk(what.worker, what.chunk, taken.exhausted);
}

void open_jobs::send_chunk(worker_id to, chunk_id id, bool last) {
  const ledger::chunk& chunk = scheduler_.sent(id);
  open_job& open = jobs_.at(chunk.job);
  auto known =
      std::ranges::lower_bound(open.told, to, {}, [](const auto& each) { return each.first; });
  const bool unknown = known == open.told.end() || known->first != to;
  if (unknown) known = open.told.insert(known, {to, knowledge::forgets});
  const bool defines = known->second == knowledge::forgets;
  if (defines) {
    host_.send(to,
               message::define{.job = chunk.job,
                               .chunksize = open.chunksize,
                               .seed = open.seed,
                               .is_stream = open.is_stream ? 1U : 0U,
                               .is_for_one_chunk = last ? 1U : 0U},
               open.definition);
    if (!last) known->second = knowledge::ready;
  }
  host_.send(to,
             message::run{.job = chunk.job,
                          .chunk = id,
                          .first = chunk.first,
                          .begin = static_cast<std::uint32_t>(chunk.begin),
                          .end = static_cast<std::uint32_t>(chunk.end)},
             chunk.items);
  if (last && !defines) {
    host_.send(to, message::forget{chunk.job});
    known->second = knowledge::forgets;
  }
}

// ---- the way back -----------------------------------------------------------------------------

void open_jobs::values(const item_range& items, std::span<const std::byte> results) {
  const auto entry = jobs_.find(items.job);
  if (entry == jobs_.end()) return;
  pool_counters::add(counters_.tasks_done, items.count);
  const auto work = entry->second.work;
  try {
    if (work->values(items.first, items.count, results, due) == job_progress::settled) {
      drop(items.job, false);
      return;
    }
  } catch (...) {
    // What the type of the results throws, or that there is no memory for them.
    return end(items.job, std::current_exception(), false);
  }
  take_released(items.job);
}

void open_jobs::failure(job_id id, std::size_t item, std::exception_ptr error) {
  pool_counters::add(counters_.tasks_failed);
  const auto entry = jobs_.find(id);
  if (entry == jobs_.end()) return;
  const auto work = entry->second.work;
  try {
    if (work->failure(item, std::move(error), due) == job_progress::settled) {
      drop(id, false);
      return;
    }
  } catch (...) {
    return end(id, std::current_exception(), false);
  }
  take_released(id);
}

void open_jobs::take_released(job_id id) {
  const auto entry = jobs_.find(id);
  if (entry == jobs_.end()) return;
  if (const std::size_t count = entry->second.work->released(); count > 0) {
    scheduler_.consumed(id, count);
  }
}

}  // namespace coterie::detail
