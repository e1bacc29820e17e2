// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "processes/child_handle.hpp"
#include "processes/exit_status.hpp"
#include "processes/lifeline.hpp"
#include "system/unique_descriptor.hpp"
#include "timing/timing.hpp"

namespace coterie::detail {

/// A child process: watched by its pidfd, or without one by looking again and again; ended and
/// reaped without ever touching another process that might have been given the same number.
class worker_process {
 public:
  /// Takes over the child; `pidfd` may be empty. With `process_group` all that is left of the group
  /// which it leads is killed before it is reaped. Throws `boost::system::system_error` if it
  /// cannot be watched; the child has then been killed and reaped.
  worker_process(boost::asio::any_io_executor executor, pid_t pid, unique_descriptor pidfd,
                 ends_with_parent what);
  worker_process(const worker_process&) = delete;
  worker_process& operator=(const worker_process&) = delete;
  /// Kills and reaps the child if it still is there.
  ~worker_process();

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

  void kill() noexcept;

  /// Kills the child, waits until it has ended, and reaps it. Gives the pidfd back, or leaves that
  /// to `waited` if a wait is going on.
  void end() noexcept;

  /// Calls `handler()` when the child has ended or may have, or, after `end`, soon. The handler
  /// calls `waited`.
  template <class Handler>
  void async_wait(Handler handler) {
    waiting_ = true;
    auto told = [handler = std::move(handler)](const auto&) mutable { handler(); };
    if (descriptor_) {
      descriptor_->async_wait(descriptor_type::wait_read, std::move(told));
    } else {
      timer_->expires_after(timing::exit_check);
      timer_->async_wait(std::move(told));
    }
  }

  /// Takes in that the handler of `async_wait` was called. Returns the child's wait status, and has
  /// then reaped it; empty if the child still runs, or `end` was called.
  std::optional<int> waited() noexcept;

  /// Ends a wait that is going on; its handler is called.
  void stop_waiting();

  /// Whether no wait is going on.
  [[nodiscard]] bool at_rest() const noexcept { return !waiting_; }

  /// Like `end`, and gives the pidfd back at once, because the event loop is being destroyed.
  void abandon() noexcept;

 private:
  using descriptor_type = boost::asio::posix::basic_stream_descriptor<boost::asio::any_io_executor>;

  void give_back() noexcept;

  pid_t pid_;
  std::optional<child_handle> child_;  // empty once it has been ended
  // Empty once given back, for the reasons given in `link_socket`.
  std::optional<descriptor_type> descriptor_;
  std::optional<boost::asio::steady_timer> timer_;  // if there is no pidfd
  bool waiting_ = false;
};

}  // namespace coterie::detail
