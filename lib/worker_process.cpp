// SPDX-License-Identifier: BSL-1.0
#include "worker_process.hpp"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace coterie::detail {

namespace {

void kill_and_reap(int pidfd) noexcept {
  ::syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0);
  siginfo_t info;
  while (::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED) < 0 && errno == EINTR) {
  }
}

// Hands the descriptor over only if the constructor of the handle does not throw.
template <class Handle>
Handle watched(boost::asio::any_io_executor executor, pid_t pid, unique_descriptor pidfd) {
  try {
    Handle handle{std::move(executor), pid, pidfd.get()};
    pidfd.release();
    return handle;
  } catch (...) {
    kill_and_reap(pidfd.get());
    throw;
  }
}

}  // namespace

worker_process::worker_process(boost::asio::any_io_executor executor, pid_t pid,
                               unique_descriptor pidfd)
    : pid_{pid},
      pidfd_{pidfd.get()},
      handle_{watched<handle_type>(std::move(executor), pid, std::move(pidfd))} {}

worker_process::~worker_process() { abandon(); }

void worker_process::kill() noexcept {
  if (pidfd_ >= 0) ::syscall(SYS_pidfd_send_signal, pidfd_, SIGKILL, nullptr, 0);
}

void worker_process::end() noexcept {
  if (pidfd_ < 0) return;
  kill_and_reap(pidfd_);
  pidfd_ = -1;
  if (at_rest()) {
    handle_.reset();
  } else {
    // Given back only when the wait has ended, as in `socket_link`. Left to end by itself, the wait
    // would go on to ask for the number, which may be another process's by then.
    stop_waiting_.emit(boost::asio::cancellation_type::terminal);
  }
}

void worker_process::waited() noexcept {
  waiting_ = false;
  if (pidfd_ < 0) handle_.reset();
}

void worker_process::abandon() noexcept {
  waiting_ = false;
  end();
  handle_.reset();
}

}  // namespace coterie::detail
