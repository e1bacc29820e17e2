// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>

#include <csignal>
#include <optional>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "processes/exit_status.hpp"
#include "processes/lifeline.hpp"
#include "system/unique_descriptor.hpp"

namespace coterie::detail {

/// A child process: watched by its pidfd, ended and reaped without ever touching another process that
/// might have been given the same number.
class worker_process {
 public:
  enum class reaped { yes, not_yet, by_another };

  /// Takes over the child. With `process_group` all that is left of the group which it leads is killed
  /// before it is reaped. Throws `boost::system::system_error` if it cannot be watched; the child has
  /// then been killed and reaped.
  worker_process(boost::asio::any_io_executor executor, pid_t pid, unique_descriptor pidfd,
                 ends_with_parent what);
  worker_process(const worker_process&) = delete;
  worker_process& operator=(const worker_process&) = delete;
  /// Kills and reaps the child if it still is there.
  ~worker_process();

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

  void kill() noexcept;

  /// Kills the child, waits until it has ended, and reaps it. Gives the pidfd back, or leaves that to
  /// `waited` if a wait is going on.
  void end() noexcept;

  /// Calls `handler()` when the child has ended, or, after `end`, soon. Whoever is told calls `waited`.
  template <class Handler>
  void async_wait(Handler handler) {
    waiting_ = true;
    descriptor_->async_wait(descriptor_type::wait_read,
                            [handler = std::move(handler)](const auto&) mutable { handler(); });
  }

  /// Takes in that the handler of `async_wait` was called. Returns the child's wait status, and has then
  /// reaped it; empty if the child still runs, or `end` was called.
  std::optional<int> waited() noexcept;

  /// Ends a wait that is going on; its handler is called.
  void stop_waiting();

  /// Whether no wait is going on.
  [[nodiscard]] bool at_rest() const noexcept { return !waiting_; }

  /// Like `end`, and gives the pidfd back at once, because the event loop is being destroyed.
  void abandon() noexcept;

 private:
  using descriptor_type = boost::asio::posix::basic_stream_descriptor<boost::asio::any_io_executor>;

  reaped try_to_reap(siginfo_t& news) noexcept;
  void kill_and_reap() noexcept;

  pid_t pid_;
  int pidfd_;  // owned by `descriptor_`; -1 once the child has been ended
  // Empty once given back, for the reasons given in `link_socket`.
  std::optional<descriptor_type> descriptor_;
  ends_with_parent ends_;
  bool waiting_ = false;
};

}  // namespace coterie::detail
