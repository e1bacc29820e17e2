// SPDX-License-Identifier: BSL-1.0
#include "host/local_host.hpp"

#include <cerrno>
#include <new>
#include <utility>

#include <boost/system/system_error.hpp>

#include <coterie/detail/home_process.hpp>

#include "host/worker_handle.hpp"

namespace coterie::detail {

local_host::local_host(std::unique_ptr<machine> on, shared_payload setup, runtime& runs_on,
                       host_events& events)
    : machine_{std::move(on)}, setup_{std::move(setup)}, runtime_{runs_on}, events_{events} {}

local_host::~local_host() = default;

worker_handle* local_host::find(worker_id id) const {
  const auto found = workers_.find(id);
  return found == workers_.end() ? nullptr : found->second.get();
}

// ---- starting ---------------------------------------------------------------------------------

void local_host::start(worker_id id, int rank, std::uint64_t incarnation) {
  to_start_.push_back({.id = id, .rank = rank, .incarnation = incarnation});
  start_later();
}

void local_host::start_later() {
  if (to_start_.empty() || std::exchange(turn_posted_, true)) return;
  runtime_.post([this, pool = runtime_.share()] {
    turn_posted_ = false;
    start_next();
  });
}

void local_host::start_next() {
  while (!to_start_.empty() && !events_.is_wanted(to_start_.front().id)) to_start_.pop_front();
  if (to_start_.empty()) return;
  const planned_start planned = to_start_.front();
  to_start_.pop_front();
  try {
    const handle worker = make_shared_at_home<worker_handle>(
        *this, runtime_.share(), planned.id, planned.rank, machine_->start(planned.rank));
    worker->start();
    workers_.emplace(planned.id, worker);
    send(planned.id, message::setup{.incarnation = planned.incarnation}, setup_);
    events_.started(planned.id, worker->link.lacks_memory);
  } catch (const boost::system::system_error& error) {
    // Processes and memory may be there again soon; descriptors and the program will not.
    const int code = error.code().value();
    events_.not_started(planned.id, code == EAGAIN || code == ENOMEM, error.what());
  }
  start_later();
}

// ---- to workers -------------------------------------------------------------------------------

std::shared_ptr<buffer_memory> local_host::payload_memory(worker_id id) const {
  worker_handle* const worker = find(id);
  return worker == nullptr ? nullptr : worker->link.payload_memory;
}

void local_host::queue(worker_id id, const frame_header& header, const shared_payload& payload) {
  worker_handle* const worker = find(id);
  if (worker == nullptr) return;
  worker->link.wire->send(header, payload);
  if (!std::exchange(worker->to_be_flushed, true)) to_flush_.push_back(worker->shared_from_this());
}

void local_host::flush() {
  for (const handle& worker : to_flush_) {
    worker->to_be_flushed = false;
    worker->link.wire->flush();
  }
  to_flush_.clear();
}

std::optional<claimed_items> local_host::claimed(worker_id id) const {
  worker_handle* const worker = find(id);
  return worker == nullptr ? std::nullopt : worker->link.wire->claimed();
}

bool local_host::revoke(worker_id victim, const claimed_items& seen) {
  worker_handle* const worker = find(victim);
  return worker != nullptr && worker->link.wire->revoke(seen);
}

void local_host::stop(worker_id id) {
  if (worker_handle* const worker = find(id)) {
    worker->talk.told_to_stop();
    send(id, message::stop{});
  }
}

void local_host::kill(worker_id id, std::string why) {
  worker_handle* const worker = find(id);
  if (worker == nullptr) return;
  if (worker->fault.empty()) worker->fault = std::move(why);
  worker->process->kill();
}

remote_place local_host::place_of(worker_id id, std::size_t item) const {
  const worker_handle& worker = *workers_.at(id);
  return {.rank = worker.rank, .pid = worker.process->pid(), .item = item};
}

// ---- the end ----------------------------------------------------------------------------------

void local_host::retire(const handle& worker) noexcept {
  worker->end();
  if (worker->no_waits()) return;
  try {
    leaving_.push_back(worker);
  } catch (const std::bad_alloc&) {
    worker->abandon();
  }
}

std::vector<worker_id> local_host::reap_all() noexcept {
  // All are told to end before the first is waited for: they die side by side.
  for (const auto& [id, worker] : workers_) worker->process->kill();
  std::vector<worker_id> reaped;
  for (const auto& [id, worker] : std::exchange(workers_, {})) {
    retire(worker);
    reaped.push_back(id);
  }
  to_flush_.clear();
  to_start_.clear();
  return reaped;
}

void local_host::stop_waiting() {
  for (const auto& [id, worker] : workers_) worker->stop_waiting();
  for (const handle& worker : leaving_) worker->stop_waiting();
}

void local_host::abandon() noexcept {
  for (const handle& worker : std::exchange(leaving_, {})) worker->abandon();
}

}  // namespace coterie::detail
