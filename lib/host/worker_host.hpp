// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <coterie/detail/buffer_memory.hpp>
#include <coterie/remote_error.hpp>

#include "messages/claimed_items.hpp"
#include "messages/frame.hpp"
#include "messages/identifiers.hpp"

namespace coterie::detail {

/// Where workers live: starts them, greets them, carries messages to them and from them, and tells
/// how they ended (`host_events`).
///
/// It decides nothing about work: what a worker is given comes from the outside, what it says is
/// checked as far as its life goes and passed on. A worker that is not known any more is ignored by
/// all functions.
///
/// Thread safety: none. What it tells, it tells in turns of its owner's `runtime`.
class worker_host {
 public:
  worker_host() = default;
  worker_host(const worker_host&) = delete;
  worker_host& operator=(const worker_host&) = delete;
  virtual ~worker_host() = default;

  /// Has a process started, in its turn: one at a time, so that the event loop goes on in between.
  virtual void start(worker_id id, int rank, std::uint64_t incarnation) = 0;
  /// Where payloads for this worker had best be encoded; null: anywhere.
  [[nodiscard]] virtual std::shared_ptr<buffer_memory> payload_memory(worker_id id) const = 0;
  /// Queues a message. It leaves with `flush`.
  template <class Message>
  void send(worker_id id, const Message& what, const shared_payload& payload = {}) {
    queue(id, frame_header::of(what), payload);
  }
  virtual void queue(worker_id id, const frame_header& header, const shared_payload& payload) = 0;
  /// Sends what is queued, for all workers.
  virtual void flush() = 0;
  /// What the worker says that it has claimed; see `link::claimed`.
  [[nodiscard]] virtual std::optional<claimed_items> claimed(worker_id id) const = 0;
  /// Revokes what the worker has not claimed; see `link::revoke`.
  [[nodiscard]] virtual bool revoke(worker_id victim, const claimed_items& seen) = 0;
  /// Asks the worker to finish what it holds and leave.
  virtual void stop(worker_id id) = 0;
  /// Ends the process. Its end says `why`, as "it ..."; empty: by no fault of its own.
  virtual void kill(worker_id id, std::string why) = 0;
  /// The worker has said what no worker says, as "it ...". Nothing more that it says is heard, and
  /// its end tells why. The owner kills it.
  virtual void disbelieve(worker_id id, const std::string& what) = 0;
  /// Where an item ran, as an error tells it. Precondition: the worker is known.
  [[nodiscard]] virtual remote_place place_of(worker_id id, std::size_t item) const = 0;
  /// Kills and reaps all workers at once. Their ends are not told.
  virtual std::vector<worker_id> reap_all() noexcept = 0;
  /// Ends all waits, and nothing else: this process was forked from the workers' parent.
  virtual void stop_waiting() = 0;
  /// Gives everything back at once, because the event loop is being destroyed. Precondition:
  /// `reap_all`.
  virtual void abandon() noexcept = 0;
};

}  // namespace coterie::detail
