// SPDX-License-Identifier: BSL-1.0
#include "processes/spawn_launcher.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>

#include <boost/system/system_error.hpp>

#include "processes/child_handle.hpp"

namespace coterie::detail {

namespace {

// In the child: all descriptors but standard input, output and error, and those that it was given.
int close_all_but(const std::vector<int>& given, posix_spawn_file_actions_t& actions) {
  int next = STDERR_FILENO + 1;
  const int end = given.empty() ? next : std::max(next, *std::ranges::max_element(given) + 1);
  for (; next < end; ++next) {
    if (std::ranges::find(given, next) != given.end()) continue;
    if (const int failure = ::posix_spawn_file_actions_addclose(&actions, next)) return failure;
  }
  return ::posix_spawn_file_actions_addclosefrom_np(&actions, end);
}

}  // namespace

spawn_launcher::spawn_launcher() {
  if (::posix_spawn_file_actions_init(&actions_) != 0) throw std::bad_alloc{};
  if (::posix_spawnattr_init(&attributes_) != 0) {
    ::posix_spawn_file_actions_destroy(&actions_);
    throw std::bad_alloc{};
  }
}

spawn_launcher::~spawn_launcher() {
  if (pidfd_ >= 0) ::close(pidfd_);
  ::posix_spawnattr_destroy(&attributes_);
  ::posix_spawn_file_actions_destroy(&actions_);
}

int spawn_launcher::give(int descriptor, int number) {
  given_.push_back(number);
  return ::posix_spawn_file_actions_adddup2(&actions_, descriptor, number);
}

int spawn_launcher::begin_in(const char* directory) {
  return ::posix_spawn_file_actions_addchdir_np(&actions_, directory);
}

int spawn_launcher::begin_in(int directory) {
  return ::posix_spawn_file_actions_addfchdir_np(&actions_, directory);
}

int spawn_launcher::lead_group() {
  flags_ |= POSIX_SPAWN_SETPGROUP;
  return ::posix_spawnattr_setpgroup(&attributes_, 0);
}

int spawn_launcher::reset_signals(const sigset_t& to_default) {
  flags_ |= POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  sigset_t none;
  ::sigemptyset(&none);
  const int failure = ::posix_spawnattr_setsigmask(&attributes_, &none);
  return failure != 0 ? failure : ::posix_spawnattr_setsigdefault(&attributes_, &to_default);
}

spawn_launcher::error_code spawn_launcher::prepare(const path&, const char* const*,
                                                   boost::process::v2::process_stdio& streams) {
  error_code failure;
  const auto bind = [&](const auto& stream) {
    if (!failure) failure = stream.ec;
    // What is in its place stays, even if it is closed.
    if (failure || stream.fd == stream.target) return;
    if (stream.fd < 0) failure = system_error(errno != 0 ? errno : EBADF);
    if (!failure) failure = system_error(give(stream.fd, stream.target));
  };
  bind(streams.in);
  bind(streams.out);
  bind(streams.err);
  return failure;
}

int spawn_launcher::start(const char* executable, const char* const* argv) {
  if (const int failure = close_all_but(given_, actions_)) return failure;
  if (const int failure = ::posix_spawnattr_setflags(&attributes_, flags_)) return failure;
  if (const int failure =
          ::posix_spawn(&pid, executable, &actions_, &attributes_, const_cast<char* const*>(argv),
                        const_cast<char* const*>(env))) {
    return failure;
  }
  try {
    pidfd_ = open_pidfd(pid).release();
    // v2's process has a descriptor to wait for. Where there are none of processes, this one stands
    // for it.
    if (pidfd_ < 0) pidfd_ = ::eventfd(0, EFD_CLOEXEC);
    if (pidfd_ >= 0) return 0;
  } catch (const boost::system::system_error& failure) {
    errno = failure.code().value();
  }
  // Out of descriptors.
  const int failure = errno;
  end_unwatched();
  return failure;
}

void spawn_launcher::end_unwatched() noexcept { child_handle{.pid = pid}.kill_and_reap(); }

}  // namespace coterie::detail
