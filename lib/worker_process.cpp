// SPDX-License-Identifier: BSL-1.0
#include "worker_process.hpp"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace coterie::detail {

namespace {

// waitid by pidfd; false: it is not there any more, or, with WNOHANG, has not ended.
bool reap(int pidfd, int options, siginfo_t& news) noexcept {
  news.si_pid = 0;
  while (::waitid(P_PIDFD, static_cast<id_t>(pidfd), &news, WEXITED | options) < 0) {
    if (errno != EINTR) return false;
  }
  return news.si_pid != 0;
}

void kill_and_reap(int pidfd) noexcept {
  ::syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0);
  siginfo_t news;
  reap(pidfd, 0, news);
}

// As waitpid would have told it.
int wait_status_of(const siginfo_t& news) noexcept {
  constexpr int dumped_core = 0x80;
  if (news.si_code == CLD_EXITED) return news.si_status << 8;
  return news.si_status | (news.si_code == CLD_DUMPED ? dumped_core : 0);
}

}  // namespace

worker_process::worker_process(boost::asio::any_io_executor executor, pid_t pid,
                               unique_descriptor pidfd)
    : pid_{pid}, pidfd_{pidfd.get()} {
  try {
    descriptor_.emplace(std::move(executor), pidfd_);
    pidfd.release();
  } catch (...) {
    kill_and_reap(pidfd_);
    throw;
  }
}

worker_process::~worker_process() { abandon(); }

void worker_process::kill() noexcept {
  if (pidfd_ >= 0) ::syscall(SYS_pidfd_send_signal, pidfd_, SIGKILL, nullptr, 0);
}

void worker_process::end() noexcept {
  if (pidfd_ < 0) return;
  kill_and_reap(pidfd_);
  pidfd_ = -1;
  // A wait that goes on ends by itself, now that there is nothing to wait for.
  if (at_rest()) descriptor_.reset();
}

std::optional<int> worker_process::waited() noexcept {
  waiting_ = false;
  if (pidfd_ < 0) {
    descriptor_.reset();
    return std::nullopt;
  }
  siginfo_t news;
  errno = 0;
  if (reap(pidfd_, WNOHANG, news)) return wait_status_of(news);
  // Somebody else may have reaped the child: a program that waits for any child, say.
  if (errno == ECHILD) return unknown_wait_status;
  return std::nullopt;
}

void worker_process::abandon() noexcept {
  waiting_ = false;
  end();
  descriptor_.reset();
}

}  // namespace coterie::detail
