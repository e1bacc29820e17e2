// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include <coterie/detail/buffer_memory.hpp>
#include <coterie/remote_error.hpp>

#include "channel/claims.hpp"
#include "host/host_events.hpp"
#include "links/link.hpp"
#include "links/ring_settings.hpp"
#include "messages/frame.hpp"
#include "processes/surroundings.hpp"

namespace coterie::detail {

/// What the workers of a host are like.
struct host_settings {
  ring_settings rings;
  surroundings around;
  shared_payload setup;  // the payload of `message::setup`
};

/// Starts workers on this machine, greets them, carries messages to them and from them, and reaps them.
///
/// It decides nothing about work: what a worker is given comes from the outside, what it says is checked
/// as far as its life goes (`handshake`) and passed on (`host_events`). A worker that is not known any more
/// is ignored by all functions.
///
/// Thread safety: none. The owner calls one function at a time, and `take` for each `host_event`.
class local_host {
 public:
  /// `events` outlives it.
  local_host(boost::asio::any_io_executor executor, host_settings settings, host_events& events);
  local_host(const local_host&) = delete;
  local_host& operator=(const local_host&) = delete;
  ~local_host();

  /// Has a process started, in its turn: one at a time, so that the event loop goes on in between.
  void start(worker_id id, int rank, std::uint64_t incarnation);
  /// Takes in what the event loop has told.
  void take(const host_event& what);

  /// Where payloads for this worker had best be encoded; null: anywhere.
  [[nodiscard]] std::shared_ptr<buffer_memory> payload_memory(worker_id id) const;
  /// Queues a message. It leaves with `flush`.
  template <class Message>
  void send(worker_id id, const Message& what, const shared_payload& payload = {}) {
    queue(id, frame_header::of(what), payload);
  }
  /// Sends what is queued, for all workers.
  void flush();
  /// Revokes what the worker has not begun; see `link::take_back`.
  [[nodiscard]] std::optional<kept_by_worker> revoke(worker_id victim, std::size_t min,
                                                     std::size_t unit, spare_next spare);

  /// Asks the worker to finish what it holds and leave.
  void stop(worker_id id);
  void kill(worker_id id);
  /// The same; its end says why.
  void kill(worker_id id, std::string why);
  /// The worker has said what no worker says, as "it ...". Nothing more that it says is heard, and its end
  /// tells why. The owner kills it.
  void disbelieve(worker_id id, const std::string& what);
  /// Where an item ran, as an error tells it. Precondition: the worker is known.
  [[nodiscard]] remote_place place_of(worker_id id, std::size_t item) const;
  /// Of a worker whose end is being told: how many items of `chunk`, the one at which it was, behind the
  /// first `done` may have begun. Empty if what it left behind cannot be believed.
  [[nodiscard]] std::optional<std::size_t> begun(worker_id id, chunk_id chunk,
                                                 std::size_t done) const;

  /// Kills and reaps all workers at once. Their ends are not told.
  std::vector<worker_id> reap_all() noexcept;
  /// Ends all waits, and nothing else: this process was forked from the workers' parent.
  void stop_waiting();
  /// Gives everything back at once, because the event loop is being destroyed. Precondition: `reap_all`.
  void abandon() noexcept;

 private:
  using handle = std::shared_ptr<worker_handle>;
  struct planned_start {
    worker_id id;
    int rank;
    std::uint64_t incarnation;
  };

  [[nodiscard]] worker_handle* find(worker_id id) const;
  void queue(worker_id id, const frame_header& header, const shared_payload& payload);
  void flush_later(worker_handle& worker);
  void start_later();
  void start_next();
  [[nodiscard]] handle launch(const planned_start& planned, bool& lacks_memory);

  void take_input(const handle& worker, std::size_t count, bool ended);
  void check(const handle& worker, look_for why);
  void take_output(const handle& worker, worker_output& output);
  void take_exit(const handle& worker);
  bool listen(const handle& worker);
  bool is_former(const handle& worker);

  bool take_frames(worker_handle& worker);
  void take_frame(worker_handle& worker, const frame& arrived);
  void take_hello(worker_handle& worker, const frame& arrived);
  static void take_not_ready(worker_handle& worker, const frame& arrived);
  void give_up(worker_handle& worker, std::string why);
  void object(worker_handle& worker, const std::string& what);
  void object_to_nonsense(worker_handle& worker, const std::string& details);
  void conclude(const handle& worker);
  void retire(const handle& worker) noexcept;

  const boost::asio::any_io_executor executor_;
  const host_settings settings_;
  host_events& events_;

  std::unordered_map<worker_id, handle> workers_;  // that have a process
  // Ended, but waits of theirs are still going on. Kept, because they must be let go of before the
  // event loop is.
  std::vector<handle> leaving_;
  std::vector<handle> to_flush_;
  std::deque<planned_start> to_start_;
  bool turn_posted_ = false;
};

}  // namespace coterie::detail
