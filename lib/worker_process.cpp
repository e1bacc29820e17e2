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

// Hands the descriptor over only if the constructor of the process does not throw.
template <class Process>
Process watched(boost::asio::any_io_executor executor, pid_t pid, unique_descriptor pidfd) {
  try {
    Process process{std::move(executor), pid, pidfd.get()};
    pidfd.release();
    return process;
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
      process_{watched<process_type>(std::move(executor), pid, std::move(pidfd))} {}

worker_process::~worker_process() { end(); }

void worker_process::kill() noexcept {
  if (pidfd_ >= 0) ::syscall(SYS_pidfd_send_signal, pidfd_, SIGKILL, nullptr, 0);
}

void worker_process::end() noexcept {
  if (pidfd_ < 0) return;
  kill_and_reap(pidfd_);
  pidfd_ = -1;
  // Left alone, its destructor would wait for the number, which may be another process's by now.
  process_->detach();
  process_.reset();
}

}  // namespace coterie::detail
