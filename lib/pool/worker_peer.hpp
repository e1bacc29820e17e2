// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "links/link.hpp"
#include "links/make_link.hpp"
#include "messages/identifiers.hpp"
#include "pool/handshake.hpp"
#include "processes/exit_status.hpp"
#include "processes/worker_output.hpp"
#include "processes/worker_process.hpp"
#include "schedule/worker_table.hpp"

namespace coterie::detail {

class pool_engine;

/// How a worker has ended, as an error tells it.
struct worker_end {
  int rank = 0;
  pid_t pid = 0;
  int wait_status = unknown_wait_status;
  kill_reason killed = kill_reason::none;
  std::string reason;  // "it ...", if the pool knows more than the status tells
};

/// What a worker knows of a job: its function, or that no more chunks of it were to come.
enum class job_knowledge : bool { ready, forgets };

/// One worker as the parent knows it: its process, its link, and what it has been told. Passes their
/// news on to the engine.
class worker_peer final : public link_listener, public std::enable_shared_from_this<worker_peer> {
 public:
  worker_peer(std::shared_ptr<pool_engine> engine, worker_id id, int rank,
              std::unique_ptr<worker_process> process, made_link link,
              std::vector<std::unique_ptr<worker_output>> outputs);
  ~worker_peer();

  /// Queues a message. Nothing leaves before the link is flushed.
  template <class Message>
  void send(const Message& what, const shared_payload& payload = {}) {
    wire->send(frame_header::of(what), payload);
  }

  /// Begins to listen.
  void start();
  /// Has the engine told when the process has ended; `start` has done so once.
  void wait_for_end();
  /// Has the engine told when the worker has written something.
  void wait_for(worker_output& output);

  /// Ends all waits, and nothing else: this process was forked from the worker's parent.
  void stop_waiting();

  /// Ends the process and the link. What they hold is given back when no wait is going on any more.
  void end() noexcept;
  [[nodiscard]] bool at_rest() const noexcept;
  /// Ends everything and gives it back at once, because the event loop is being destroyed.
  void abandon() noexcept;

  // link_listener
  void input_arrived(boost::system::error_code problem, std::size_t count) override;
  void output_possible() override;
  void time_to_look(look_for why) override;

  /// Of one that has ended, or whose process was killed for `killed`.
  [[nodiscard]] worker_end ended(kill_reason killed) const;

  const worker_id id;
  const int rank;
  const std::unique_ptr<worker_process> process;
  const std::unique_ptr<link> wire;
  const std::vector<std::unique_ptr<worker_output>> outputs;  // those that are passed on
  const link_secret secret;

  std::unordered_map<job_id, job_knowledge> knows;
  handshake greeting;
  std::string problem;  // why it is unfit, or could not start; empty: nothing is known
  int wait_status = unknown_wait_status;
  bool input_ended = false;  // nothing more can be read
  bool exited = false;
  bool to_be_flushed = false;

 private:
  std::shared_ptr<pool_engine> engine_;
};

}  // namespace coterie::detail
