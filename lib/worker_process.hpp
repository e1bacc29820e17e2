// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/process/v2/process_handle.hpp>

#include "exit_status.hpp"
#include "unique_descriptor.hpp"

namespace coterie::detail {

/// A child process: watched by its pidfd, ended and reaped without ever touching another process that
/// might have been given the same number.
class worker_process {
 public:
  /// Takes over the child. Throws `boost::system::system_error` if it cannot be watched; the child has
  /// then been killed and reaped.
  worker_process(boost::asio::any_io_executor executor, pid_t pid, unique_descriptor pidfd);
  worker_process(const worker_process&) = delete;
  worker_process& operator=(const worker_process&) = delete;
  /// Kills and reaps the child if it still is there.
  ~worker_process();

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

  void kill() noexcept;

  /// Kills the child, waits until it has ended, and reaps it. Gives the pidfd back, or leaves that to
  /// `waited` if a wait is going on.
  void end() noexcept;

  /// Calls `handler(wait_status)` when the child has ended and is reaped, or, after `end`, soon. The
  /// handler must see to it that `waited` is called.
  template <class Handler>
  void async_wait(Handler handler) {
    waiting_ = true;
    handle_->async_wait(boost::asio::bind_cancellation_slot(
        stop_waiting_.slot(),
        [handler = std::move(handler)](const auto& problem, int wait_status) mutable {
          // Somebody else may have reaped the child: a program that waits for any child, say.
          handler(problem ? unknown_wait_status : wait_status);
        }));
  }

  /// Takes in that the handler of `async_wait` was called.
  void waited() noexcept;

  /// Whether no wait is going on.
  [[nodiscard]] bool at_rest() const noexcept { return !waiting_; }

  /// Like `end`, and gives the pidfd back at once, because the event loop is being destroyed.
  void abandon() noexcept;

 private:
  using handle_type = boost::process::v2::basic_process_handle<boost::asio::any_io_executor>;

  pid_t pid_;
  int pidfd_;                          // owned by `handle_`; -1 once the child has been ended
  std::optional<handle_type> handle_;  // empty once ended, for the reasons given in `socket_link`
  boost::asio::cancellation_signal stop_waiting_;
  bool waiting_ = false;
};

}  // namespace coterie::detail
