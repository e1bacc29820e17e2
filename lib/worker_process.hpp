// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/process/v2/process.hpp>

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

  /// Kills the child, waits until it has ended, reaps it, and gives the pidfd back.
  void end() noexcept;

  /// Calls `handler(wait_status)` when the child has ended and is reaped. The object must live until
  /// then; after `end` the handler is called all the same.
  template <class Handler>
  void async_wait(Handler handler) {
    process_->async_wait([this, handler = std::move(handler)](const auto& problem, int) mutable {
      // Somebody else may have reaped the child: a program that waits for any child, say.
      const int status = problem || !process_ ? unknown_wait_status : process_->native_exit_code();
      handler(status);
    });
  }

 private:
  using process_type = boost::process::v2::basic_process<boost::asio::any_io_executor>;

  pid_t pid_;
  int pidfd_;                            // owned by `process_`; -1 once it has been given back
  std::optional<process_type> process_;  // empty once ended, for the reason given in `socket_link`
};

}  // namespace coterie::detail
