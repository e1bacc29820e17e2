// SPDX-License-Identifier: BSL-1.0
#include "processes/worker_process.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace coterie::detail {

namespace {

using reaped = worker_process::reaped;

reaped look_at_end(int pidfd, siginfo_t& news, int how) noexcept {
  news.si_pid = 0;
  while (::waitid(P_PIDFD, static_cast<id_t>(pidfd), &news, WEXITED | WNOHANG | how) < 0) {
    // Asio makes descriptors non-blocking, and of such a pidfd waitid says this.
    if (errno == EAGAIN) return reaped::not_yet;
    if (errno != EINTR) return reaped::by_another;
  }
  return news.si_pid != 0 ? reaped::yes : reaped::not_yet;
}

// As waitpid would have told it.
int wait_status_of(const siginfo_t& news) noexcept {
  constexpr int dumped_core = 0x80;
  if (news.si_code == CLD_EXITED) return news.si_status << 8;
  return news.si_status | (news.si_code == CLD_DUMPED ? dumped_core : 0);
}

}  // namespace

worker_process::worker_process(boost::asio::any_io_executor executor, pid_t pid,
                               unique_descriptor pidfd, ends_with_parent what)
    : pid_{pid}, pidfd_{pidfd.get()}, ends_{what} {
  try {
    descriptor_.emplace(std::move(executor), pidfd_);
    pidfd.release();
  } catch (...) {
    kill_and_reap();
    throw;
  }
}

// As long as a child has not been reaped its number is no other process's, nor that of another group.
worker_process::reaped worker_process::try_to_reap(siginfo_t& news) noexcept {
  if (ends_ == ends_with_parent::process_group) {
    const reaped seen = look_at_end(pidfd_, news, WNOWAIT);
    if (seen != reaped::yes) return seen;
    ::kill(-pid_, SIGKILL);
  }
  return look_at_end(pidfd_, news, 0);
}

void worker_process::kill_and_reap() noexcept {
  kill();
  siginfo_t news;
  while (try_to_reap(news) == reaped::not_yet) {
    pollfd ended{.fd = pidfd_, .events = POLLIN, .revents = 0};
    ::poll(&ended, 1, -1);
  }
}

worker_process::~worker_process() { abandon(); }

void worker_process::kill() noexcept {
  if (pidfd_ >= 0) ::syscall(SYS_pidfd_send_signal, pidfd_, SIGKILL, nullptr, 0);
}

void worker_process::end() noexcept {
  if (pidfd_ < 0) return;
  kill_and_reap();
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
  switch (try_to_reap(news)) {
    case reaped::yes:
      return wait_status_of(news);
    case reaped::not_yet:
      return std::nullopt;
    case reaped::by_another:
      // A program that waits for any child, say.
      return unknown_wait_status;
  }
  return std::nullopt;
}

void worker_process::stop_waiting() {
  boost::system::error_code ignored;
  if (descriptor_) descriptor_->cancel(ignored);
}

void worker_process::abandon() noexcept {
  waiting_ = false;
  end();
  descriptor_.reset();
}

}  // namespace coterie::detail
