// SPDX-License-Identifier: BSL-1.0

// What workers say, and what becomes of one that has ended.

#include <algorithm>
#include <string>
#include <utility>

#include <coterie/detail/exception_wire.hpp>
#include <coterie/error.hpp>

#include "host/local_host.hpp"
#include "host/worker_handle.hpp"
#include "program/modules.hpp"

namespace coterie::detail {

bool local_host::take_frames(worker_handle& worker) {
  const bool was_ready = worker.talk.is_ready();
  try {
    while (!worker.broke_rules) {
      const auto arrived = worker.link.wire->next();
      if (!arrived) break;
      take_frame(worker, *arrived);
    }
  } catch (const bad_frame& error) {
    // The details help to find the fault; they make no sentence by themselves.
    object(worker, std::string{"it wrote nonsense to the memory or the socket that it shares with "
                               "the pool ("} +
                       error.what() + ")");
  }
  // After the rest of what came: a worker that breaks the rules before it can be given anything has
  // not been started. If all do so, that must come to an end.
  if (worker.talk.is_ready() && !was_ready && !worker.broke_rules) {
    events_.ready(worker.id, worker.link.revocable);
  }
  return !worker.broke_rules;
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
  const std::size_t secret = worker.link.secret.size();
  if (arrived.payload.size() < secret ||
      !std::ranges::equal(arrived.payload.first(secret), worker.link.secret)) {
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

void local_host::give_up(worker_handle& worker, std::string why) {
  worker.fault = std::move(why);
  worker.broke_rules = true;
  events_.broke_rules(worker.id);
}

// ---- the end of a worker ----------------------------------------------------------------------

// A worker that cannot be heard is of no use. The end of its link mostly comes with its own end,
// which is then told; one that goes on has closed its descriptors, and is given nothing more.
void local_host::take_loss(worker_handle& worker) {
  if (!worker.process->is_exiting()) {
    if (worker.fault.empty()) worker.fault = lost_link_reason;
    events_.lost_link(worker.id);
  }
  worker.process->kill();
}

void local_host::take_end(worker_handle& worker) {
  events_.ended(worker.id, worker.how_it_ended());
  const handle ended = worker.shared_from_this();
  workers_.erase(worker.id);
  retire(ended);
}

void local_host::let_go(worker_handle& worker) {
  if (worker.no_waits()) std::erase(leaving_, worker.shared_from_this());
}

}  // namespace coterie::detail
