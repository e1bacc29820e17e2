// SPDX-License-Identifier: BSL-1.0

// What workers say, and what becomes of one that has ended.

#include <algorithm>
#include <new>
#include <string>
#include <utility>

#include <coterie/detail/exception_wire.hpp>
#include <coterie/error.hpp>

#include "host/local_host.hpp"
#include "host/worker_handle.hpp"
#include "processes/exiting.hpp"
#include "program/modules.hpp"

namespace coterie::detail {

void local_host::take(const host_event& what) {
  switch (what.what) {
    case host_event::kind::turn_to_start:
      turn_posted_ = false;
      return start_next();
    case host_event::kind::input:
      return take_input(what.worker, what.count, what.ended);
    case host_event::kind::output_possible:
      what.worker->wire->output_possible(what.worker);
      is_former(what.worker);
      return;
    case host_event::kind::check:
      return check(what.worker, look_for::what_may_have_come);
    case host_event::kind::poll:
      return check(what.worker, look_for::what_comes_soon);
    case host_event::kind::printed:
      return take_output(what.worker, *what.output);
    case host_event::kind::exit:
      return take_exit(what.worker);
  }
}

void local_host::take_input(const handle& worker, std::size_t count, bool ended) {
  worker->wire->received(count);
  if (is_former(worker)) return;
  if (take_frames(*worker) && events_.holds_work(worker->id)) {
    worker->wire->look_again(worker, true);
  }
  if (worker->exited) return conclude(worker);
  if (!ended && listen(worker)) return;
  worker->input_ended = true;
  // A worker that cannot be heard is of no use. The end of its input mostly comes with its own end,
  // which is then told; one that goes on has closed its descriptors, and is given nothing more.
  if (!is_exiting(worker->process->pid())) {
    if (worker->fault.empty()) worker->fault = lost_link_reason;
    events_.lost_link(worker->id);
  }
  worker->process->kill();
}

void local_host::check(const handle& worker, look_for why) {
  const bool due = worker->wire->looked(worker, why);
  if (is_former(worker) || !due) return;
  const bool lively = take_frames(*worker);
  if (events_.holds_work(worker->id)) worker->wire->look_again(worker, lively);
}

void local_host::take_output(const handle& worker, worker_output& output) {
  const bool more = output.arrived();
  if (!is_former(worker) && more) worker->wait_for(output);
}

void local_host::take_exit(const handle& worker) {
  const auto wait_status = worker->process->waited();
  if (is_former(worker)) return;
  if (!wait_status) return worker->wait_for_end();
  worker->exited = true;
  worker->wait_status = *wait_status;
  if (worker->input_ended) return conclude(worker);
  // The wait for input ends with what has come so far, and that is taken in before the worker is
  // given up: results that it had sent are results.
  worker->wire->stop_receiving();
}

// False if there is no room for the message that has begun: one that is as long as it says it is
// would have been sent by a worker that had the room.
bool local_host::listen(const handle& worker) {
  try {
    if (worker->broke_rules) return false;
    worker->wire->async_receive(worker);
    return true;
  } catch (const std::bad_alloc&) {
    object(*worker, "it announced a message that does not fit into memory");
  } catch (const bad_frame& error) {
    object_to_nonsense(*worker, error.what());
  }
  return false;
}

// Whether the worker has been ended. Lets go of it with the last of its news.
bool local_host::is_former(const handle& worker) {
  if (workers_.contains(worker->id)) return false;
  if (worker->at_rest()) std::erase(leaving_, worker);
  return true;
}

// ---- frames -----------------------------------------------------------------------------------

// Returns whether there were any.
bool local_host::take_frames(worker_handle& worker) {
  const bool was_ready = worker.talk.is_ready();
  bool any = false;
  try {
    while (!worker.broke_rules) {
      const auto arrived = worker.wire->next();
      if (!arrived) break;
      any = true;
      take_frame(worker, *arrived);
    }
  } catch (const bad_frame& error) {
    object_to_nonsense(worker, error.what());
  }
  // After the rest of what came: a worker that breaks the rules before it can be given anything has
  // not been started. If all do so, that must come to an end.
  if (worker.talk.is_ready() && !was_ready && !worker.broke_rules) {
    events_.ready(worker.id, worker.wire->takes_back());
  }
  return any;
}

void local_host::take_frame(worker_handle& worker, const frame& arrived) {
  const message_kind kind = arrived.header.kind;
  if (const char* const objection = worker.talk.objection(kind)) return object(worker, objection);
  switch (kind) {
    case message_kind::hello:
      return take_hello(worker, arrived);
    case message_kind::ready:
      return worker.talk.become_ready();
    case message_kind::not_ready:
      return take_not_ready(worker, arrived);
    default:
      return events_.said(worker.id, arrived);
  }
}

void local_host::take_hello(worker_handle& worker, const frame& arrived) {
  const auto& identity = executable_identity();
  const std::size_t secret = worker.secret.size();
  if (arrived.payload.size() < secret ||
      !std::ranges::equal(arrived.payload.first(secret), worker.secret)) {
    return object(worker, "it is not the process that was started here");
  }
  if (arrived.header.as<message::hello>().version != protocol_version ||
      !std::ranges::equal(arrived.payload.subspan(secret), identity)) {
    return give_up(worker,
                   "the worker runs another build of the program: was the executable replaced?");
  }
  worker.talk.greet();
}

void local_host::take_not_ready(worker_handle& worker, const frame& arrived) {
  try {
    std::rethrow_exception(decode_exception(
        arrived.payload, {.rank = worker.rank, .pid = worker.process->pid(), .item = 0}));
  } catch (...) {
    worker.start_error = "the initializer failed: " + text_of_current_exception();
  }
}

// ---- a worker that broke the rules ------------------------------------------------------------

void local_host::disbelieve(worker_id id, const std::string& what) {
  if (worker_handle* const worker = find(id)) object(*worker, what);
}

void local_host::object(worker_handle& worker, const std::string& what) {
  give_up(worker,
          what +
              ", which no worker does: look for code in its tasks that writes to memory or to "
              "descriptors that are not its own");
}

// The details help to find the fault; they make no sentence by themselves.
void local_host::object_to_nonsense(worker_handle& worker, const std::string& details) {
  object(worker, "it wrote nonsense to the memory or the socket that it shares with the pool (" +
                     details + ")");
}

void local_host::give_up(worker_handle& worker, std::string why) {
  worker.fault = std::move(why);
  worker.broke_rules = true;
  events_.broke_rules(worker.id);
}

// ---- the end of a worker ----------------------------------------------------------------------

void local_host::conclude(const handle& worker) {
  // It can write no more, so what is there now is all there will be, even if a process that it has
  // started still holds the other end open.
  while (!worker->broke_rules && worker->wire->drain()) take_frames(*worker);
  events_.ended(worker->id, worker->how_it_ended());
  workers_.erase(worker->id);
  retire(worker);
}

}  // namespace coterie::detail
