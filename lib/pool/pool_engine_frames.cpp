// SPDX-License-Identifier: BSL-1.0

// What workers say, checked and passed on; and what becomes of a worker that has ended.

#include <sys/wait.h>

#include <algorithm>
#include <string>
#include <utility>

#include <coterie/detail/exception_wire.hpp>
#include <coterie/error.hpp>

#include "pool/pool_engine.hpp"
#include "pool/pool_engine_enter.hpp"
#include "pool/worker_errors.hpp"
#include "processes/exiting.hpp"
#include "program/modules.hpp"

namespace coterie::detail {

// ---- news from the event loop -----------------------------------------------------------------

void pool_engine::input_arrived(const std::shared_ptr<worker_peer>& worker, bool ended,
                                std::size_t count) {
  enter(from::event_loop, [this, worker, ended, count] {
    worker->wire->received(count);
    if (is_former(worker)) return;
    if (take_frames(*worker) && holds_work(*worker)) worker->wire->look_again(worker, true);
    if (worker->exited) return conclude(worker);
    if (!ended && listen_on(worker)) return;
    worker->input_ended = true;
    // A worker that cannot be heard is of no use. The end of its input mostly comes with its own end, which
    // is then told; one that goes on has closed its descriptors, and is given nothing more.
    if (!is_exiting(worker->process->pid())) scheduler_.condemn(worker->id, kill_reason::lost_link);
    worker->process->kill();
  });
}

void pool_engine::time_to_look(const std::shared_ptr<worker_peer>& worker, look_for why) {
  enter(from::event_loop, [this, worker, why] {
    const bool due = worker->wire->looked(worker, why);
    if (is_former(worker) || !due) return;
    const bool lively = take_frames(*worker);
    if (holds_work(*worker)) worker->wire->look_again(worker, lively);
  });
}

// False if there is no room for the message that has begun: one that is as long as it says it is would
// have been sent by a worker that had the room.
bool pool_engine::listen_on(const std::shared_ptr<worker_peer>& worker) {
  try {
    if (broke_rules(*worker)) return false;
    worker->wire->async_receive(worker);
    return true;
  } catch (const std::bad_alloc&) {
    violation(*worker, "it announced a message that does not fit into memory");
  } catch (const bad_frame& problem) {
    nonsense(*worker, problem.what());
  }
  return false;
}

void pool_engine::output_possible(const std::shared_ptr<worker_peer>& worker) {
  enter(from::event_loop, [this, worker] {
    worker->wire->output_possible(worker);
    is_former(worker);
  });
}

void pool_engine::output_arrived(const std::shared_ptr<worker_peer>& worker,
                                 worker_output& output) {
  enter(from::event_loop, [this, worker, &output] {
    const bool more = output.arrived();
    if (!is_former(worker) && more) worker->wait_for(output);
  });
}

void pool_engine::process_ended(const std::shared_ptr<worker_peer>& worker) {
  enter(from::event_loop, [this, worker] {
    const auto wait_status = worker->process->waited();
    if (is_former(worker)) return;
    if (!wait_status) return worker->wait_for_end();
    worker->exited = true;
    worker->wait_status = *wait_status;
    if (worker->input_ended) return conclude(worker);
    // The wait for input ends with what has come so far, and that is taken in before the worker is
    // given up: results that it had sent are results.
    worker->wire->stop_receiving();
  });
}

// Whether the worker has been ended. Lets go of it with the last of its news.
bool pool_engine::is_former(const std::shared_ptr<worker_peer>& worker) {
  if (workers_.contains(worker->id)) return false;
  if (worker->at_rest()) std::erase(leaving_, worker);
  return true;
}

// ---- frames -----------------------------------------------------------------------------------

bool pool_engine::holds_work(const worker_peer& worker) const {
  return scheduler_.chunks().current(worker.id) != nullptr;
}

bool pool_engine::broke_rules(const worker_peer& worker) const {
  const auto* const known = scheduler_.find(worker.id);
  return known != nullptr && known->killed == kill_reason::broke_rules;
}

// Returns whether there were any.
bool pool_engine::take_frames(worker_peer& worker) {
  const bool was_ready = worker.greeting.is_ready();
  bool any = false;
  try {
    while (!broke_rules(worker)) {
      const auto arrived = worker.wire->next();
      if (!arrived) break;
      any = true;
      take(worker, *arrived);
    }
  } catch (const bad_frame& error) {
    nonsense(worker, error.what());
  }
  // After the rest of what came: a worker that breaks the rules before it can be given anything has not been
  // started. If all do so, that must come to an end.
  if (worker.greeting.is_ready() && !was_ready) {
    scheduler_.ready(worker.id, worker.wire->takes_back());
  }
  return any;
}

void pool_engine::take(worker_peer& worker, const frame& arrived) {
  const message_kind kind = arrived.header.kind;
  const bool told_to_stop = scheduler_.find(worker.id)->stage == worker_stage::leaving;
  if (const char* const objection = worker.greeting.objection(kind, told_to_stop)) {
    return violation(worker, objection);
  }
  switch (kind) {
    case message_kind::hello:
      return take_hello(worker, arrived);
    case message_kind::ready:
      return worker.greeting.become_ready();
    case message_kind::not_ready:
      return take_not_ready(worker, arrived);
    case message_kind::values:
      return take_values(worker, arrived);
    case message_kind::failure:
      return take_failure(worker, arrived);
    case message_kind::done:
      return take_done(worker, arrived);
    case message_kind::left:
      if (!finalizer_problem_) {
        finalizer_problem_ = decode_exception(
            arrived.payload, {.rank = worker.rank, .pid = worker.process->pid(), .item = 0});
      }
      return;
    default:
      return violation(worker, "it sent a frame that only the parent sends");
  }
}

void pool_engine::take_hello(worker_peer& worker, const frame& arrived) {
  const auto& identity = executable_identity();
  const std::size_t secret = worker.secret.size();
  if (arrived.payload.size() < secret ||
      !std::ranges::equal(arrived.payload.first(secret), worker.secret)) {
    return violation(worker, "it is not the process that was started here");
  }
  if (arrived.header.as<message::hello>().version != protocol_version ||
      !std::ranges::equal(arrived.payload.subspan(secret), identity)) {
    worker.problem = "the worker runs another build of the program: was the executable replaced?";
    return scheduler_.condemn(worker.id);
  }
  worker.greeting.greet();
}

void pool_engine::take_not_ready(worker_peer& worker, const frame& arrived) {
  try {
    std::rethrow_exception(decode_exception(
        arrived.payload, {.rank = worker.rank, .pid = worker.process->pid(), .item = 0}));
  } catch (...) {
    worker.problem = "the initializer failed: " + text_of_current_exception();
  }
}

// Checks that these are the next items of the chunk that the worker is at. Empty if they are not.
std::optional<item_range> pool_engine::take_items(worker_peer& worker,
                                                  const message::values& what) {
  const ledger::chunk* const chunk = scheduler_.chunks().find(what.chunk);
  if (chunk != nullptr && (what.job != chunk->job || what.first != chunk->done)) {
    violation(worker, "it sent results out of their order");
    return std::nullopt;
  }
  const std::size_t first = chunk != nullptr ? chunk->next_item() : 0;
  if (what.count == 0 || !scheduler_.items_done(worker.id, what.chunk, what.count)) {
    violation(worker, "it sent results that it was not asked for");
    return std::nullopt;
  }
  return item_range{.job = what.job, .first = first, .count = what.count};
}

void pool_engine::take_values(worker_peer& worker, const frame& arrived) {
  const auto items = take_items(worker, arrived.header.as<message::values>());
  if (!items) return;
  const auto entry = jobs_.find(items->job);
  if (entry == jobs_.end()) return;
  counters_.tasks_done.fetch_add(items->count, std::memory_order_relaxed);
  const auto work = entry->second.work;
  try {
    if (work->values(items->first, items->count, arrived.payload, due_) == job_progress::settled) {
      drop_job(items->job, false);
    }
  } catch (...) {
    // What the type of the results throws, or that there is no memory for them.
    return end_job(items->job, std::current_exception(), false);
  }
  take_released(items->job);
}

void pool_engine::take_released(job_id id) {
  const auto entry = jobs_.find(id);
  if (entry == jobs_.end()) return;
  if (const std::size_t count = entry->second.work->released(); count > 0) {
    scheduler_.consumed(id, count);
  }
}

void pool_engine::take_failure(worker_peer& worker, const frame& arrived) {
  const auto what = arrived.header.as<message::failure>();
  const auto items = take_items(
      worker, {.job = what.job, .chunk = what.chunk, .first = what.item, .count = 1, .claimed = 0});
  if (!items || !jobs_.contains(items->job)) return;
  fail_item(
      items->job, items->first,
      decode_exception(arrived.payload,
                       {.rank = worker.rank, .pid = worker.process->pid(), .item = items->first}));
}

void pool_engine::take_done(worker_peer& worker, const frame& arrived) {
  constexpr auto longest = std::uint64_t{1} << 62U;
  const auto what = arrived.header.as<message::done>();
  const std::chrono::nanoseconds busy{std::min(what.busy, longest)};
  if (!scheduler_.chunk_done(worker.id, what.chunk, busy)) {
    violation(worker, "it ended a chunk that it was not at the end of");
  }
}

// ---- the end of a worker ----------------------------------------------------------------------

void pool_engine::violation(worker_peer& worker, std::string what) {
  worker.problem = std::move(what) +
                   ", which no worker does: look for code in its tasks that writes to memory or to "
                   "descriptors that are not its own";
  scheduler_.condemn(worker.id);
}

// The details help to find the fault; they make no sentence by themselves.
void pool_engine::nonsense(worker_peer& worker, const std::string& details) {
  violation(worker, "it wrote nonsense to the memory or the socket that it shares with the pool (" +
                        details + ")");
}

void pool_engine::conclude(const std::shared_ptr<worker_peer>& worker) {
  // It can write no more, so what is there now is all there will be, even if a process that it has
  // started still holds the other end open.
  while (!broke_rules(*worker) && worker->wire->drain()) take_frames(*worker);
  const worker_end end = worker->ended(scheduler_.find(worker->id)->killed);
  const worker_exit how = exit_of(*worker, end.killed);
  workers_.erase(worker->id);
  retire(worker);
  ended_.insert_or_assign(worker->id, end);
  switch (scheduler_.exited(worker->id, std::chrono::steady_clock::now(), how)) {
    case departure::start_failed:
      last_start_problem_ = start_problem(*worker, end);
      counters_.starts_failed.fetch_add(1, std::memory_order_relaxed);
      break;
    case departure::left:
      take_last_words(end);
      break;
    case departure::crashed:
      counters_.workers_crashed.fetch_add(1, std::memory_order_relaxed);
      break;
    case departure::killed:
    case departure::unknown:
      break;
  }
}

worker_exit pool_engine::exit_of(const worker_peer& worker, kill_reason killed) const {
  const bool from_outside = killed == kill_reason::none && ended_from_outside(worker.wait_status);
  return {.begun = may_have_begun(worker),
          .start = from_outside ? start_failure::from_outside : start_failure::of_program};
}

// How many items of the chunk that it was at may have begun, beside those that it has told of.
std::size_t pool_engine::may_have_begun(const worker_peer& worker) const {
  const auto& held = scheduler_.chunks().held_by(worker.id).chunks;
  if (held.empty()) return 0;
  const std::size_t done = scheduler_.chunks().at(held.front()).done;
  return worker.wire->begun(held.front(), done).value_or(worker_exit::everything);
}

void pool_engine::take_last_words(const worker_end& end) {
  const int status = end.wait_status;
  if (finalizer_problem_ || status == 0 || status == unknown_wait_status) return;
  finalizer_problem_ = std::make_exception_ptr(
      error{errc::worker_crashed, text_of(end) + " while it was leaving: in its finalizer, or in "
                                                 "what runs at exit"});
}

std::string pool_engine::start_problem(const worker_peer& worker, const worker_end& how) {
  if (!worker.problem.empty()) return worker.problem;
  if (!how.reason.empty()) return how.reason;
  const int status = how.wait_status;
  const bool exited = status != unknown_wait_status && WIFEXITED(status);
  const int code = exited ? WEXITSTATUS(status) : -1;
  const std::string end = text_of(how);
  if (code == exit_without_init) {
    return "the program's main makes a pool without having called coterie::init(argc, argv) first";
  }
  if (code == exit_no_memory) {
    return end +
           ": it cannot use the memory shared with its parent, and says why on standard error; "
           "pool_options::shared_memory = false does without";
  }
  if (worker.greeting.greeted()) return end + " in its initializer";
  constexpr int loader_failed = 127;
  if (code == loader_failed) {
    return end +
           " before it reached coterie::init: could the dynamic loader not load the program? Its "
           "reason is on standard error";
  }
  if (exited) {
    return end + " before it reached coterie::init: does the program's main call that first?";
  }
  if (ended_from_outside(status)) return end + " while it was starting";
  return end +
         " before it reached coterie::init: in main, or in the constructor of a static object";
}

}  // namespace coterie::detail
