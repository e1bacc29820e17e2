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
    if (take_frames(*worker) && scheduler_.holds_work(worker->rank)) {
      worker->wire->look_again(worker, true);
    }
    if (worker->exited) return conclude(worker);
    if (!ended && listen_on(worker)) return;
    worker->input_ended = true;
    // A worker that cannot be heard is of no use. The end of its input mostly comes with its own end, which
    // is then told; one that goes on has closed its descriptors, and is given nothing more.
    if (!worker->broke_rules && !is_exiting(worker->process->pid())) {
      worker->closed_link = true;
      scheduler_.condemn(worker->rank);
    }
    worker->process->kill();
  });
}

void pool_engine::time_to_look(const std::shared_ptr<worker_peer>& worker, look_for why) {
  enter(from::event_loop, [this, worker, why] {
    const bool due = worker->wire->looked(worker, why);
    if (is_former(worker) || !due) return;
    const bool lively = take_frames(*worker);
    if (scheduler_.holds_work(worker->rank)) worker->wire->look_again(worker, lively);
  });
}

// False if there is no room for the message that has begun: one that is as long as it says it is would
// have been sent by a worker that had the room.
bool pool_engine::listen_on(const std::shared_ptr<worker_peer>& worker) {
  try {
    if (worker->broke_rules) return false;
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
  if (workers_[static_cast<std::size_t>(worker->rank)] == worker) return false;
  if (worker->at_rest()) std::erase(leaving_, worker);
  return true;
}

// ---- frames -----------------------------------------------------------------------------------

// Returns whether there were any.
bool pool_engine::take_frames(worker_peer& worker) {
  const bool was_ready = worker.was_ready;
  bool any = false;
  try {
    while (!worker.broke_rules) {
      const auto arrived = worker.wire->next();
      if (!arrived) break;
      any = true;
      take(worker, *arrived);
    }
  } catch (const bad_frame& problem) {
    nonsense(worker, problem.what());
  }
  if (worker.was_ready && !was_ready) {
    // One that breaks the rules before it can be given anything, or has closed its link, has not been
    // started: if all do so, that must come to an end.
    if (worker.broke_rules || worker.closed_link) {
      worker.was_ready = false;
    } else {
      scheduler_.ready(worker.rank, worker.wire->takes_back());
    }
  }
  return any;
}

void pool_engine::take(worker_peer& worker, const frame& arrived) {
  const frame_kind kind = arrived.header.kind;
  if (!worker.greeted && kind != frame_kind::hello) {
    return violation(worker, "it did not begin with its greeting");
  }
  if (worker.greeted && kind == frame_kind::hello) {
    return violation(worker, "it sent its greeting twice");
  }
  const bool about_its_start = kind == frame_kind::ready || kind == frame_kind::not_ready;
  if (worker.greeted && worker.was_ready == about_its_start) {
    return violation(worker, worker.was_ready ? "it was ready, and said so again"
                                              : "it sent results before it was ready");
  }
  if (kind == frame_kind::left && !worker.told_to_stop) {
    return violation(worker, "it left without having been told to");
  }
  switch (kind) {
    case frame_kind::hello:
      return take_hello(worker, arrived);
    case frame_kind::ready:
      worker.was_ready = true;
      return;
    case frame_kind::not_ready:
      return take_not_ready(worker, arrived);
    case frame_kind::values:
      return take_values(worker, arrived);
    case frame_kind::failure:
      return take_failure(worker, arrived);
    case frame_kind::done:
      return take_done(worker, arrived);
    case frame_kind::left:
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
  if (arrived.header.count != protocol_version ||
      !std::ranges::equal(arrived.payload.subspan(secret), identity)) {
    worker.problem = "the worker runs another build of the program: was the executable replaced?";
    worker.broke_rules = true;
    return scheduler_.condemn(worker.rank);
  }
  worker.greeted = true;
}

void pool_engine::take_not_ready(worker_peer& worker, const frame& arrived) {
  try {
    std::rethrow_exception(decode_exception(
        arrived.payload, {.rank = worker.rank, .pid = worker.process->pid(), .item = 0}));
  } catch (...) {
    worker.problem = "the initializer failed: " + text_of_current_exception();
  }
}

// Checks that these are the next items of the chunk that the worker is at. Null if they are not, or
// if nobody wants them any more.
pool_engine::open_chunk* pool_engine::take_items(worker_peer& worker, const frame_header& header) {
  const auto found = chunks_.find(header.chunk);
  open_chunk* const chunk = found == chunks_.end() ? nullptr : &found->second;
  if (chunk != nullptr && (header.job != chunk->job || header.first != chunk->done)) {
    violation(worker, "it sent results out of their order");
    return nullptr;
  }
  if (header.count == 0 || !scheduler_.items_done(worker.rank, header.chunk, header.count)) {
    violation(worker, "it sent results that it was not asked for");
    return nullptr;
  }
  if (chunk != nullptr) chunk->done += header.count;
  return chunk;
}

void pool_engine::take_values(worker_peer& worker, const frame& arrived) {
  const auto count = static_cast<std::size_t>(arrived.header.count);
  const open_chunk* const chunk = take_items(worker, arrived.header);
  if (chunk == nullptr) return;
  counters_.tasks_done.fetch_add(count, std::memory_order_relaxed);
  const job_id id = chunk->job;
  const auto entry = jobs_.find(id);
  if (entry == jobs_.end()) return;
  const auto work = entry->second.work;
  const std::size_t first = chunk->first + static_cast<std::size_t>(arrived.header.first);
  try {
    if (work->values(first, count, arrived.payload, due_) == job_progress::settled) {
      drop_job(id, false);
    }
  } catch (...) {
    // What the type of the results throws, or that there is no memory for them.
    return end_job(id, std::current_exception(), false);
  }
  take_released(id);
}

void pool_engine::take_released(job_id id) {
  const auto entry = jobs_.find(id);
  if (entry == jobs_.end()) return;
  if (const std::size_t count = entry->second.work->released(); count > 0) {
    scheduler_.consumed(id, count);
  }
}

void pool_engine::take_failure(worker_peer& worker, const frame& arrived) {
  if (arrived.header.count != 1) return violation(worker, "it sent a failure of several items");
  const open_chunk* const chunk = take_items(worker, arrived.header);
  if (chunk == nullptr) return;
  const std::size_t item = chunk->first + static_cast<std::size_t>(arrived.header.first);
  fail_item(chunk->job, item,
            decode_exception(arrived.payload,
                             {.rank = worker.rank, .pid = worker.process->pid(), .item = item}));
}

void pool_engine::take_done(worker_peer& worker, const frame& arrived) {
  constexpr auto longest = std::uint64_t{1} << 62U;
  const std::chrono::nanoseconds busy{std::min(arrived.header.count, longest)};
  if (!scheduler_.chunk_done(worker.rank, arrived.header.chunk, busy)) {
    return violation(worker, "it ended a chunk that it was not at the end of");
  }
  chunks_.erase(arrived.header.chunk);
}

// ---- the end of a worker ----------------------------------------------------------------------

void pool_engine::violation(worker_peer& worker, std::string what) {
  worker.problem = std::move(what) +
                   ", which no worker does: look for code in its tasks that writes to memory or to "
                   "descriptors that are not its own";
  worker.broke_rules = true;
  scheduler_.condemn(worker.rank);
}

// The details help to find the fault; they make no sentence by themselves.
void pool_engine::nonsense(worker_peer& worker, const std::string& details) {
  violation(worker, "it wrote nonsense to the memory or the socket that it shares with the pool (" +
                        details + ")");
}

void pool_engine::conclude(const std::shared_ptr<worker_peer>& worker) {
  // It can write no more, so what is there now is all there will be, even if a process that it has
  // started still holds the other end open.
  while (!worker->broke_rules && worker->wire->drain()) take_frames(*worker);
  const auto rank = static_cast<std::size_t>(worker->rank);
  workers_[rank].reset();
  retire(worker);
  if (!worker->was_ready) {
    last_start_problem_ = start_problem(*worker);
    counters_.starts_failed.fetch_add(1, std::memory_order_relaxed);
  } else if (worker->told_to_stop && !worker->killed) {
    take_last_words(*worker);
  } else if (!worker->killed) {
    counters_.workers_crashed.fetch_add(1, std::memory_order_relaxed);
  }
  // Chunks of jobs that have ended are nobody's business any more; the others come up again as
  // crashes, or are sent to another worker.
  std::erase_if(chunks_, [&](const auto& each) {
    return each.second.rank == worker->rank && !jobs_.contains(each.second.job);
  });
  ended_.insert_or_assign(worker->rank, worker->ended());
  scheduler_.exited(worker->rank, std::chrono::steady_clock::now(), exit_of(*worker));
}

worker_exit pool_engine::exit_of(const worker_peer& worker) const {
  if (worker.was_ready) return {.begun = may_have_begun(worker)};
  const bool from_outside = !worker.broke_rules && !worker.closed_link && !worker.late &&
                            ended_from_outside(worker.wait_status);
  return {.start = from_outside ? start_failure::from_outside : start_failure::of_program};
}

// How many items of the chunk that it was at may have begun, beside those that it has told of. A worker that broke
// the rules may have begun all that it held, whatever it says.
std::size_t pool_engine::may_have_begun(const worker_peer& worker) const {
  if (worker.broke_rules) return worker_exit::everything;
  const auto current = scheduler_.current_chunk(worker.rank);
  const auto chunk = current ? chunks_.find(*current) : chunks_.end();
  if (chunk == chunks_.end()) return 0;
  return worker.wire->begun(*current, chunk->second.done).value_or(worker_exit::everything);
}

void pool_engine::take_last_words(const worker_peer& worker) {
  const int status = worker.wait_status;
  if (finalizer_problem_ || status == 0 || status == unknown_wait_status) return;
  finalizer_problem_ = std::make_exception_ptr(
      error{errc::worker_crashed, text_of(worker.ended()) +
                                      " while it was leaving: in its finalizer, or in "
                                      "what runs at exit"});
}

std::string pool_engine::start_problem(const worker_peer& worker) {
  if (!worker.problem.empty()) return worker.problem;
  if (std::string reason = worker.ended().reason; !reason.empty()) return reason;
  const int status = worker.wait_status;
  const bool exited = status != unknown_wait_status && WIFEXITED(status);
  const int code = exited ? WEXITSTATUS(status) : -1;
  const std::string end = text_of(worker.ended());
  if (code == exit_without_init) {
    return "the program's main makes a pool without having called coterie::init(argc, argv) first";
  }
  if (code == exit_no_memory) {
    return end +
           ": it cannot use the memory shared with its parent, and says why on standard error; "
           "pool_options::shared_memory = false does without";
  }
  if (worker.greeted) return end + " in its initializer";
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
