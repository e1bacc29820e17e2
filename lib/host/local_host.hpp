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
#include "host/worker_host.hpp"
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

/// The host of workers that run on this machine, as children of this process.
class local_host final : public worker_host {
 public:
  /// `runs_on` and `events` outlive it.
  local_host(boost::asio::any_io_executor executor, host_settings settings, runtime& runs_on,
             host_events& events);
  ~local_host() override;

  // worker_host
  void start(worker_id id, int rank, std::uint64_t incarnation) override;
  void take(const host_event& what) override;
  [[nodiscard]] std::shared_ptr<buffer_memory> payload_memory(worker_id id) const override;
  void queue(worker_id id, const frame_header& header, const shared_payload& payload) override;
  void flush() override;
  [[nodiscard]] std::optional<kept_by_worker> revoke(worker_id victim, std::size_t min,
                                                     std::size_t unit, spare_next spare) override;
  void stop(worker_id id) override;
  void kill(worker_id id, std::string why) override;
  void disbelieve(worker_id id, const std::string& what) override;
  [[nodiscard]] remote_place place_of(worker_id id, std::size_t item) const override;
  [[nodiscard]] std::optional<std::size_t> begun(worker_id id, chunk_id chunk,
                                                 std::size_t done) const override;
  std::vector<worker_id> reap_all() noexcept override;
  void stop_waiting() override;
  void abandon() noexcept override;

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
