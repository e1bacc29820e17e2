// SPDX-License-Identifier: BSL-1.0
#include "processes/launcher.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <string_view>
#include <vector>

#include <boost/system/system_error.hpp>

#include "program/program.hpp"
#include "worker/worker_environment.hpp"

namespace coterie::detail {

namespace {

[[noreturn]] void fail(int error, const char* step) {
  throw boost::system::system_error{error, boost::system::system_category(), step};
}

void check(int result, const char* step) {
  if (result != 0) fail(result, step);
}

// Above the numbers that descriptors get in the child, so that placing one never overwrites another.
unique_descriptor moved_up(unique_descriptor from) {
  constexpr int first_safe = 16;
  if (from.get() >= first_safe) return from;
  unique_descriptor moved{::fcntl(from.get(), F_DUPFD_CLOEXEC, first_safe)};
  // Where the limit is lower than that number, the kernel calls the number invalid.
  if (!moved) fail(errno == EINVAL ? EMFILE : errno, "cannot duplicate a descriptor");
  return moved;
}

// The reading end of a pipe whose writing end only this process holds, and never writes to: when
// this process ends, however it ends, the kernel tells every worker.
const unique_descriptor& lifeline() {
  struct pipe {
    unique_descriptor read, write;
  };
  static const pipe the_pipe = [] {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) fail(errno, "cannot make a pipe");
    unique_descriptor read{ends[0]};
    unique_descriptor write{ends[1]};
    return pipe{moved_up(std::move(read)), moved_up(std::move(write))};
  }();
  return the_pipe.read;
}

class file_actions {
 public:
  file_actions() { check(::posix_spawn_file_actions_init(&actions_), "posix_spawn"); }
  file_actions(const file_actions&) = delete;
  file_actions& operator=(const file_actions&) = delete;
  ~file_actions() { ::posix_spawn_file_actions_destroy(&actions_); }
  posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

class spawn_attributes {
 public:
  spawn_attributes() { check(::posix_spawnattr_init(&attributes_), "posix_spawn"); }
  spawn_attributes(const spawn_attributes&) = delete;
  spawn_attributes& operator=(const spawn_attributes&) = delete;
  ~spawn_attributes() { ::posix_spawnattr_destroy(&attributes_); }
  posix_spawnattr_t* get() { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (std::string& each : strings) result.push_back(each.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

launched_worker launch_worker(int rank) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    fail(errno, "cannot make a socket pair");
  }
  launched_worker worker;
  worker.link = unique_descriptor{ends[0]};
  const unique_descriptor theirs = moved_up(unique_descriptor{ends[1]});

  file_actions actions;
  check(::posix_spawn_file_actions_addopen(actions.get(), STDIN_FILENO, "/dev/null", O_RDONLY, 0),
        "posix_spawn");
  check(::posix_spawn_file_actions_adddup2(actions.get(), theirs.get(),
                                           worker_environment::link_descriptor),
        "posix_spawn");
  check(::posix_spawn_file_actions_adddup2(actions.get(), lifeline().get(),
                                           worker_environment::lifeline_descriptor),
        "posix_spawn");
  check(::posix_spawn_file_actions_addclosefrom_np(actions.get(),
                                                   worker_environment::first_free_descriptor),
        "posix_spawn");

  // SIGINT stays blocked until the worker ignores it: a Ctrl-C in between must not end it. What the
  // parent blocks or ignores for its own ends is not the worker's business.
  sigset_t blocked;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGINT);
  sigset_t defaults;
  ::sigemptyset(&defaults);
  ::sigaddset(&defaults, SIGCHLD);
  ::sigaddset(&defaults, SIGPIPE);
  ::sigaddset(&defaults, SIGTERM);
  spawn_attributes attributes;
  check(::posix_spawnattr_setsigmask(attributes.get(), &blocked), "posix_spawn");
  check(::posix_spawnattr_setsigdefault(attributes.get(), &defaults), "posix_spawn");
  check(
      ::posix_spawnattr_setflags(attributes.get(), POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF),
      "posix_spawn");

  std::vector<std::string> arguments = program::instance().arguments;
  if (arguments.empty()) arguments.emplace_back("coterie-worker");
  std::vector<char*> argv = pointers(arguments);

  const std::string prefix = std::string{worker_environment::variable} + "=";
  std::string assignment = worker_environment{.rank = rank, .parent = ::getpid()}.assignment();
  std::vector<char*> environment{assignment.data()};
  for (char** each = environ; each != nullptr && *each != nullptr; ++each) {
    if (!std::string_view{*each}.starts_with(prefix)) environment.push_back(*each);
  }
  environment.push_back(nullptr);

  check(::posix_spawn(&worker.pid, "/proc/self/exe", actions.get(), attributes.get(), argv.data(),
                      environment.data()),
        "cannot start a process");
  worker.process = unique_descriptor{static_cast<int>(::syscall(SYS_pidfd_open, worker.pid, 0))};
  if (!worker.process) {
    // Out of descriptors: a child that cannot be watched must not stay.
    const int error = errno;
    ::kill(worker.pid, SIGKILL);
    while (::waitpid(worker.pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    fail(error, "cannot watch a process");
  }
  return worker;
}

}  // namespace coterie::detail
