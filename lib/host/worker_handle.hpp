// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <string>

#include "host/handshake.hpp"
#include "host/hosted_process.hpp"
#include "host/machine.hpp"
#include "host/worker_end.hpp"
#include "links/link.hpp"
#include "links/make_link.hpp"
#include "messages/identifiers.hpp"
#include "processes/exit_status.hpp"
#include "runtime/runtime.hpp"

namespace coterie::detail {

class local_host;

/// Why a worker is ended that has closed its link.
inline constexpr const char* lost_link_reason =
    "it lost its connection to the pool: do its tasks close descriptors that they did not open?";

/// One worker as its host knows it: its process, its link, and how far it is in its talk. Passes
/// what is told of them on to the host.
class worker_handle final : public link_events,
                            public process_events,
                            public std::enable_shared_from_this<worker_handle> {
 public:
  /// `host` is a part of what `pool` keeps alive.
  worker_handle(local_host& host, std::shared_ptr<runtime> pool, worker_id id, int rank,
                started_worker started);
  ~worker_handle();

  /// Begins to listen.
  void start();
  /// Ends all waits, and nothing else: this process was forked from the worker's parent.
  void stop_waiting();
  /// Ends the process and the link. What they hold is given back when no wait is going on any more.
  void end() noexcept;
  [[nodiscard]] bool no_waits() const noexcept;
  /// Ends everything and gives it back at once, because the event loop is being destroyed.
  void abandon() noexcept;

  /// Of one whose process is gone.
  [[nodiscard]] worker_end how_it_ended() const;

  // link_events
  [[nodiscard]] bool frames_came() override;
  void lost() override;
  void finished() override;
  void at_rest() override;
  [[nodiscard]] expected_news expects() const override;

  // process_events
  void exited(int wait_status) override;
  void process_at_rest() override { at_rest(); }

  const worker_id id;
  const int rank;
  const std::unique_ptr<hosted_process> process;
  const made_link link;

  handshake talk;
  std::string
      fault;  // "it ...": why it is ended; empty: by no fault of its own, as far as is known
  std::string start_error;  // why its start failed; empty: its end will tell
  int wait_status = unknown_wait_status;
  bool broke_rules = false;  // nothing more that it says is heard
  bool to_be_flushed = false;

 private:
  local_host& host_;
  std::shared_ptr<runtime> pool_;
};

}  // namespace coterie::detail
