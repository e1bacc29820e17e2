// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/handshake.hpp"
#include "host/runtime.hpp"
#include "host/worker_end.hpp"
#include "links/link.hpp"
#include "links/make_link.hpp"
#include "processes/exit_status.hpp"
#include "processes/worker_output.hpp"
#include "processes/worker_process.hpp"

namespace coterie::detail {

/// Why a worker is ended that has closed its link.
inline constexpr const char* lost_link_reason =
    "it lost its connection to the pool: do its tasks close descriptors that they did not open?";

/// One worker as its host knows it: its process, its link, and how far it is in its talk. Passes
/// what the event loop says of them on.
class worker_handle final : public link_listener,
                            public std::enable_shared_from_this<worker_handle> {
 public:
  worker_handle(std::shared_ptr<runtime> told, worker_id id, int rank,
                std::unique_ptr<worker_process> process, made_link link,
                std::vector<std::unique_ptr<worker_output>> outputs);
  ~worker_handle();

  /// Begins to listen.
  void start();
  /// Waits for the end of the process; `start` has done so once.
  void wait_for_end();
  /// Waits until the worker has written something.
  void wait_for(worker_output& output);

  /// Ends all waits, and nothing else: this process was forked from the worker's parent.
  void stop_waiting();

  /// Ends the process and the link. What they hold is given back when no wait is going on any more.
  void end() noexcept;
  [[nodiscard]] bool at_rest() const noexcept;
  /// Ends everything and gives it back at once, because the event loop is being destroyed.
  void abandon() noexcept;

  /// Of one whose process is gone.
  [[nodiscard]] worker_end how_it_ended() const;

  // link_listener
  void input_arrived(boost::system::error_code error, std::size_t count) override;
  void output_possible() override;
  void time_to_look(look_for why) override;

  const worker_id id;
  const int rank;
  const std::unique_ptr<worker_process> process;
  const std::unique_ptr<link> wire;
  const std::vector<std::unique_ptr<worker_output>> outputs;  // those that are passed on
  const link_secret secret;

  handshake talk;
  std::string
      fault;  // "it ...": why it is ended; empty: by no fault of its own, as far as is known
  std::string start_error;  // why its start failed; empty: its end will tell
  int wait_status = unknown_wait_status;
  bool broke_rules = false;  // nothing more that it says is heard
  bool input_ended = false;  // nothing more can be read
  bool exited = false;
  bool to_be_flushed = false;

 private:
  void tell(host_event what);

  std::shared_ptr<runtime> told_;
};

}  // namespace coterie::detail
