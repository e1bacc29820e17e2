// SPDX-License-Identifier: BSL-1.0
#include "processes/child_handle.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>

#include <boost/system/system_error.hpp>

#include "processes/exit_status.hpp"

namespace coterie::detail {

namespace {

// Waits as the flags say. `si_pid` is 0 if the child still runs. False: it was reaped by another.
bool wait_for(const child_handle& child, int flags, siginfo_t& news) noexcept {
  const idtype_t type = child.pidfd >= 0 ? P_PIDFD : P_PID;
  const auto id = static_cast<id_t>(child.pidfd >= 0 ? child.pidfd : child.pid);
  news.si_pid = 0;
  while (::waitid(type, id, &news, flags) < 0) {
    // Asio makes descriptors non-blocking, and of such a pidfd waitid says this.
    if (errno == EAGAIN) return true;
    if (errno != EINTR) return false;
  }
  return true;
}

// As waitpid would have told it.
int wait_status_of(const siginfo_t& news) noexcept {
  constexpr int dumped_core = 0x80;
  if (news.si_code == CLD_EXITED) return news.si_status << 8;
  return news.si_status | (news.si_code == CLD_DUMPED ? dumped_core : 0);
}

// Linux 5.3 has pidfds, and cannot wait for them.
bool can_be_waited_for(int pidfd) noexcept {
  siginfo_t news;
  return ::waitid(P_PIDFD, static_cast<id_t>(pidfd), &news, WEXITED | WNOHANG | WNOWAIT) == 0 ||
         errno != EINVAL;
}

// So that valgrind complains of it once, and not for each child.
std::atomic<bool> there_are_none = false;

}  // namespace

unique_descriptor open_pidfd(pid_t child) {
  if (there_are_none.load(std::memory_order_relaxed)) return {};
  unique_descriptor opened{static_cast<int>(::syscall(SYS_pidfd_open, child, 0))};
  if (opened && can_be_waited_for(opened.get())) return opened;
  const int error = errno;
  // A filter of system calls says EPERM of what it does not know.
  if (opened || error == ENOSYS || error == EPERM) {
    there_are_none = true;
    return {};
  }
  throw boost::system::system_error{error, boost::system::system_category(),
                                    "cannot watch a process"};
}

void child_handle::kill() const noexcept {
  if (pidfd >= 0) {
    ::syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0);
    return;
  }
  siginfo_t news;
  if (wait_for(*this, WEXITED | WNOHANG | WNOWAIT, news)) ::kill(pid, SIGKILL);
}

std::optional<int> child_handle::try_to_reap() const noexcept {
  siginfo_t news;
  if (ends == ends_with_parent::process_group) {
    if (!wait_for(*this, WEXITED | WNOHANG | WNOWAIT, news)) return unknown_wait_status;
    if (news.si_pid == 0) return std::nullopt;
    ::kill(-pid, SIGKILL);
  }
  if (!wait_for(*this, WEXITED | WNOHANG, news)) return unknown_wait_status;
  if (news.si_pid == 0) return std::nullopt;
  return wait_status_of(news);
}

void child_handle::kill_and_reap() const noexcept {
  kill();
  while (!try_to_reap()) {
    if (pidfd >= 0) {
      pollfd ended{.fd = pidfd, .events = POLLIN, .revents = 0};
      ::poll(&ended, 1, -1);
    } else {
      siginfo_t news;
      wait_for(*this, WEXITED | WNOWAIT, news);
    }
  }
}

}  // namespace coterie::detail
