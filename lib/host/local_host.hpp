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

#include <coterie/detail/buffer_memory.hpp>
#include <coterie/remote_error.hpp>

#include "host/host_events.hpp"
#include "host/machine.hpp"
#include "host/worker_host.hpp"
#include "links/link.hpp"
#include "messages/claimed_items.hpp"
#include "messages/frame.hpp"
#include "runtime/runtime.hpp"

namespace coterie::detail {

class worker_handle;

/// The host of workers that are processes of one machine.
class local_host final : public worker_host {
 public:
  /// `setup` is the payload of `message::setup`. `runs_on` and `events` outlive the host.
  local_host(std::unique_ptr<machine> on, shared_payload setup, runtime& runs_on,
             host_events& events);
  ~local_host() override;

  // worker_host
  void start(worker_id id, int rank, std::uint64_t incarnation) override;
  [[nodiscard]] std::shared_ptr<buffer_memory> payload_memory(worker_id id) const override;
  void queue(worker_id id, const frame_header& header, const shared_payload& payload) override;
  void flush() override;
  [[nodiscard]] std::optional<claimed_items> claimed(worker_id id) const override;
  [[nodiscard]] bool revoke(worker_id victim, const claimed_items& seen) override;
  void stop(worker_id id) override;
  void kill(worker_id id, std::string why) override;
  void disbelieve(worker_id id, const std::string& what) override;
  [[nodiscard]] remote_place place_of(worker_id id, std::size_t item) const override;
  std::vector<worker_id> reap_all() noexcept override;
  void stop_waiting() override;
  void abandon() noexcept override;

  // What is told of one of its workers.

  /// Takes in what has come, and returns whether more is to be heard.
  [[nodiscard]] bool take_frames(worker_handle& worker);
  /// Its link has ended, and its process perhaps not.
  void take_loss(worker_handle& worker);
  /// Its process has ended, and all that it had said was taken in.
  void take_end(worker_handle& worker);
  /// A wait of a worker that was ended is over.
  void let_go(worker_handle& worker);
  [[nodiscard]] expected_news expects(worker_id id) const { return events_.expects(id); }

 private:
  using handle = std::shared_ptr<worker_handle>;
  struct planned_start {
    worker_id id;
    int rank;
    std::uint64_t incarnation;
  };

  [[nodiscard]] worker_handle* find(worker_id id) const;
  void start_later();
  void start_next();

  void take_frame(worker_handle& worker, const frame& arrived);
  void take_hello(worker_handle& worker, const frame& arrived);
  static void take_not_ready(worker_handle& worker, const frame& arrived);
  void give_up(worker_handle& worker, std::string why);
  void object(worker_handle& worker, const std::string& what);
  void retire(const handle& worker) noexcept;

  const std::unique_ptr<machine> machine_;
  const shared_payload setup_;
  runtime& runtime_;
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
