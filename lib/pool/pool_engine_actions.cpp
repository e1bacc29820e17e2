// SPDX-License-Identifier: BSL-1.0

// What the scheduler wants done, done.

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include <coterie/detail/seeds.hpp>
#include <coterie/error.hpp>

#include "links/make_link.hpp"
#include "pool/pool_engine.hpp"
#include "pool/pool_engine_enter.hpp"
#include "pool/worker_errors.hpp"
#include "processes/launcher.hpp"

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

// ---- processes --------------------------------------------------------------------------------

void pool_engine::perform(const action::spawn& what) {
  to_spawn_.push_back(what);
  spawn_later();
}

// One process at a time, and the event loop gets its turn in between: starting many takes a while.
void pool_engine::spawn_later() {
  if (to_spawn_.empty() || std::exchange(spawn_posted_, true)) return;
  boost::asio::post(executor_, [self = shared_from_this()] {
    self->enter(from::event_loop, [engine = self.get()] {
      engine->spawn_posted_ = false;
      engine->spawn_next();
    });
  });
}

void pool_engine::spawn_next() {
  // One that is not wanted any more has left its place in the table.
  while (!to_spawn_.empty() && scheduler_.find(to_spawn_.front().worker) == nullptr) {
    to_spawn_.pop_front();
  }
  if (to_spawn_.empty()) return;
  const auto [id, rank, incarnation] = to_spawn_.front();
  to_spawn_.pop_front();
  const auto now = std::chrono::steady_clock::now();
  try {
    launched_worker launched = launch_worker(executor_, rank, surroundings_);
    auto process = std::make_unique<worker_process>(
        executor_, launched.pid, std::move(launched.process), surroundings_.ends);
    made_link made = make_link(executor_, std::move(launched.link), rings_);
    if (made.lacks_memory) {
      counters_.workers_without_memory.fetch_add(1, std::memory_order_relaxed);
    }
    std::vector<std::unique_ptr<worker_output>> outputs;
    for (auto* const each : {&launched.output, &launched.error}) {
      if (!each->pipe) continue;
      outputs.push_back(std::make_unique<worker_output>(
          executor_, std::move(each->pipe), std::move(each->tag),
          each == &launched.output ? STDOUT_FILENO : STDERR_FILENO));
    }
    auto worker = make_shared_at_home<worker_peer>(shared_from_this(), id, rank, std::move(process),
                                                   std::move(made), std::move(outputs));
    worker->start();
    worker->send(message::setup{.incarnation = incarnation}, setup_);
    flush_later(*worker);
    workers_.emplace(id, std::move(worker));
    counters_.workers_started.fetch_add(1, std::memory_order_relaxed);
    scheduler_.started(id, now);
  } catch (const boost::system::system_error& problem) {
    last_start_problem_ = problem.what();
    counters_.starts_failed.fetch_add(1, std::memory_order_relaxed);
    // Processes and memory may be there again soon; descriptors and the program will not.
    const int code = problem.code().value();
    const bool scarce = code == EAGAIN || code == ENOMEM;
    scheduler_.exited(id, now,
                      {.start = scarce ? start_failure::from_outside : start_failure::of_program});
  }
  spawn_later();
}

void pool_engine::perform(const action::kill& what) {
  if (worker_peer* const worker = peer(what.worker)) worker->process->kill();
}

void pool_engine::perform(const action::stop& what) {
  worker_peer* const worker = peer(what.worker);
  if (worker == nullptr) return;
  worker->send(message::stop{});
  flush_later(*worker);
}

void pool_engine::perform(const action::all_gone&) {
  for (joiner& each : std::exchange(joiners_, {})) {
    complete(std::move(each.handler), due_, finalizer_problem_);
  }
}

// ---- jobs -------------------------------------------------------------------------------------

void pool_engine::begin_job(job_id id, const std::shared_ptr<job>& work) {
  std::exception_ptr problem;
  shared_payload definition;
  if (scheduler_.phase() != pool_phase::open) {
    problem = std::make_exception_ptr(pool_closed{});
  } else {
    try {
      definition = definition_of(*work);
    } catch (...) {
      problem = std::current_exception();
    }
  }
  if (problem) {
    counters_.jobs_pending.fetch_sub(1, std::memory_order_relaxed);
    finish(*work, problem);
    return;
  }
  const job_settings settings = work->settings();
  const job_limits limits =
      scheduler_.add_job(id, {.chunksize = settings.chunksize,
                              .window = settings.window,
                              .held_until_consumed = settings.held_until_consumed});
  jobs_.emplace(id, open_job{.work = work,
                             .definition = std::move(definition),
                             .chunksize = limits.chunksize,
                             .is_stream = settings.held_until_consumed,
                             .seed = settings.seed.value_or(split_seed(seed_, ++calls_begun_)),
                             .told = {}});
}

void pool_engine::perform(const action::cut& what) {
  const auto entry = jobs_.find(what.job);
  if (entry == jobs_.end()) return scheduler_.cut_done(what.chunk, 0, true);
  open_job& open = entry->second;

  auto items = std::make_shared<byte_buffer>(peer(what.worker)->wire->payload_memory());
  const cut_limits limits{.most = what.max, .least = what.min, .enough_bytes = enough_bytes};
  cut_result taken;
  try {
    taken = open.work->cut(limits, *items);
  } catch (...) {
    end_job(what.job, std::current_exception(), false);
    return scheduler_.cut_done(what.chunk, 0, true);
  }
  if (!home.is_here()) return;  // the input has forked
  scheduler_.cut_done(what.chunk, taken.count, taken.exhausted, std::move(items));
  if (taken.count > 0) send_chunk(what.worker, what.chunk, taken.exhausted);
}

void pool_engine::perform(const action::resend& what) {
  send_chunk(what.worker, what.chunk, false);
}

void pool_engine::perform(const action::revoke& what) {
  worker_peer* const victim = peer(what.victim);
  if (victim == nullptr || (what.only_if_cheap && !is_cheap_to_move(what.victim))) return;
  const spare_next spare{what.spares_next};
  if (const auto kept = victim->wire->take_back(what.min, what.unit, spare)) {
    scheduler_.revoked(what.victim, kept->chunk, kept->items);
  }
}

// What lies in memory of one worker would have to be copied for another.
bool pool_engine::is_cheap_to_move(worker_id victim) const {
  const ledger::chunk* const chunk = scheduler_.chunks().current(victim);
  return chunk != nullptr && chunk->items != nullptr && chunk->items->memory() == nullptr;
}

void pool_engine::send_chunk(worker_id to, chunk_id id, bool last) {
  worker_peer& worker = *peer(to);
  const ledger::chunk& chunk = scheduler_.chunks().at(id);
  open_job& open = jobs_.at(chunk.job);
  const auto [known, unknown] = worker.knows.try_emplace(chunk.job, job_knowledge::ready);
  if (unknown || known->second == job_knowledge::forgets) {
    worker.send(message::define{.job = chunk.job,
                                .chunksize = open.chunksize,
                                .seed = open.seed,
                                .is_stream = open.is_stream ? 1U : 0U},
                open.definition);
    known->second = job_knowledge::ready;
    if (unknown) open.told.push_back(to);
  }
  worker.send(message::run{.job = chunk.job,
                           .chunk = id,
                           .first = chunk.first,
                           .begin = static_cast<std::uint32_t>(chunk.begin),
                           .end = static_cast<std::uint32_t>(chunk.end)},
              chunk.items);
  if (last) {
    // A single call is forgotten by the message that brings it.
    worker.send(message::forget{chunk.job});
    known->second = job_knowledge::forgets;
  }
  flush_later(worker);
}

void pool_engine::perform(const action::crash& what) {
  const worker_end& end = ended_.at(what.worker);
  const std::size_t behind = what.items.first + what.items.count;
  // The first may be the end of the job.
  for (std::size_t item = what.items.first; item < behind && jobs_.contains(what.items.job);
       ++item) {
    fail_item(what.items.job, item, crash_error(end, item));
  }
}

void pool_engine::perform(const action::finish& what) {
  const auto entry = jobs_.find(what.job);
  if (entry == jobs_.end()) return;
  const auto work = entry->second.work;
  forget_job(what.job, false);
  jobs_.erase(what.job);
  counters_.jobs_pending.fetch_sub(1, std::memory_order_relaxed);
  finish(*work, {});
}

// What a result's own type throws on its way to the handler is the outcome of this call, and of no other.
void pool_engine::finish(job& work, std::exception_ptr problem) {
  try {
    work.finish(std::move(problem), due_);
  } catch (...) {
    work.finish(std::current_exception(), due_);
  }
}

void pool_engine::perform(const action::give_up& what) {
  const auto error = std::make_exception_ptr(start_failed{last_start_problem_});
  for (const auto& left : what.jobs) {
    const auto entry = jobs_.find(left.id);
    if (entry == jobs_.end()) continue;
    const auto work = entry->second.work;
    jobs_.erase(entry);
    counters_.jobs_pending.fetch_sub(1, std::memory_order_relaxed);
    finish(*work, work->settles_each() ? fail_rest(left, *work, error) : error);
  }
}

// Each item that has no outcome yet fails alone: what is there is not lost. Returns what fails the call as
// a whole, which is what its input throws.
std::exception_ptr pool_engine::fail_rest(const action::give_up::job& left, job& work,
                                          const std::exception_ptr& error) {
  const auto fail = [&](std::size_t first, std::size_t count) {
    counters_.tasks_failed.fetch_add(count, std::memory_order_relaxed);
    for (std::size_t item = first; item < first + count; ++item) work.failure(item, error, due_);
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

void pool_engine::end_job(job_id id, const std::exception_ptr& problem, bool kill) {
  const auto entry = jobs_.find(id);
  if (entry == jobs_.end()) return;
  const auto work = entry->second.work;
  drop_job(id, kill);
  finish(*work, problem);
}

void pool_engine::drop_job(job_id id, bool kill) {
  forget_job(id, true);
  jobs_.erase(id);
  counters_.jobs_pending.fetch_sub(1, std::memory_order_relaxed);
  scheduler_.drop_job(id, kill);
}

void pool_engine::forget_job(job_id id, bool cancelled) {
  for (const worker_id each : jobs_.at(id).told) {
    worker_peer* const worker = peer(each);
    if (worker == nullptr) continue;
    const auto known = worker->knows.find(id);
    if (known == worker->knows.end()) continue;
    if (cancelled) {
      worker->send(message::cancel{id});
      flush_later(*worker);
    } else if (known->second == job_knowledge::ready) {
      worker->send(message::forget{id});
      flush_later(*worker);
    }
    worker->knows.erase(known);
  }
}

void pool_engine::fail_item(job_id id, std::size_t index, std::exception_ptr problem) {
  counters_.tasks_failed.fetch_add(1, std::memory_order_relaxed);
  const auto entry = jobs_.find(id);
  if (entry == jobs_.end()) return;
  const auto work = entry->second.work;
  try {
    if (work->failure(index, std::move(problem), due_) == job_progress::settled)
      drop_job(id, false);
  } catch (...) {
    return end_job(id, std::current_exception(), false);
  }
  take_released(id);
}

}  // namespace coterie::detail
