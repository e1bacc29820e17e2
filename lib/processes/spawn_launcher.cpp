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
  first_closed_ = std::max(first_closed_, number + 1);
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
    // What is in its place stays, even if it is closed.
    if (failure || stream.fd == stream.target) return;
    failure = stream.fd < 0 ? system_error(errno) : stream.ec;
    if (!failure) failure = system_error(give(stream.fd, stream.target));
  };
  bind(streams.in);
  bind(streams.out);
  bind(streams.err);
  return failure;
}

int spawn_launcher::start(const char* executable, const char* const* argv) {
  if (const int failure = ::posix_spawn_file_actions_addclosefrom_np(&actions_, first_closed_)) {
    return failure;
  }
  if (const int failure = ::posix_spawnattr_setflags(&attributes_, flags_)) return failure;
  if (const int failure =
          ::posix_spawn(&pid, executable, &actions_, &attributes_, const_cast<char* const*>(argv),
                        const_cast<char* const*>(env))) {
    return failure;
  }
  try {
    pidfd_ = open_pidfd(pid).release();
    // v2's process has a descriptor to wait for. Where there are none of processes, this one stands for it.
    if (pidfd_ < 0) pidfd_ = ::eventfd(0, EFD_CLOEXEC);
    if (pidfd_ >= 0) return 0;
  } catch (const boost::system::system_error& failure) {
    errno = failure.code().value();
  }
  // Out of descriptors: a child that cannot be watched must not stay.
  const int failure = errno;
  child_handle{.pid = pid}.kill_and_reap();
  return failure;
}

}  // namespace coterie::detail
