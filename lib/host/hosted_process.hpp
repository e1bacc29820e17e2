// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>

#include <memory>

namespace coterie::detail {

/// Is told, in turns of its own, what becomes of a process.
class process_events {
 public:
  /// It has ended, and was reaped; see `unknown_wait_status`.
  virtual void exited(int wait_status) = 0;
  /// The last wait for a process that was ended is over.
  virtual void process_at_rest() = 0;

 protected:
  ~process_events() = default;
};

/// The process of a worker, as its host knows it.
///
/// A wait that is going on keeps the `process_events` alive. Thread safety: none.
class hosted_process {
 public:
  hosted_process() = default;
  hosted_process(const hosted_process&) = delete;
  hosted_process& operator=(const hosted_process&) = delete;
  /// Kills and reaps the process if it still is there.
  virtual ~hosted_process() = default;

  /// Begins to watch it. Once.
  virtual void start(const std::shared_ptr<process_events>& told) = 0;
  [[nodiscard]] virtual pid_t pid() const noexcept = 0;
  virtual void kill() noexcept = 0;
  /// Whether its end has begun.
  [[nodiscard]] virtual bool is_exiting() const noexcept = 0;
  /// Kills the process, waits until it has ended, and reaps it. Nothing is told any more but
  /// `process_at_rest`, and that only if a wait is going on.
  virtual void end() noexcept = 0;
  /// Ends all waits, and nothing else: this process was forked from the worker's parent.
  virtual void stop_waiting() = 0;
  /// Whether no wait is going on.
  [[nodiscard]] virtual bool at_rest() const noexcept = 0;
  /// Like `end`, and gives everything back at once, because the event loop is being destroyed.
  virtual void abandon() noexcept = 0;
};

}  // namespace coterie::detail
