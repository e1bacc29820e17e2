// SPDX-License-Identifier: BSL-1.0
#include "host/worker_end.hpp"

#include <sys/wait.h>

#include <csignal>
#include <optional>

#include <coterie/error.hpp>

#include "errors/how_it_ended.hpp"

namespace coterie::detail {

namespace {

std::string name_of(const worker_end& end) {
  return "worker " + std::to_string(end.rank) + " (pid " + std::to_string(end.pid) + ")";
}

}  // namespace

std::string text_of(const worker_end& end) {
  const int status = end.wait_status;
  std::optional<int> signal;
  std::optional<int> exit_code;
  if (status != unknown_wait_status && WIFSIGNALED(status)) signal = WTERMSIG(status);
  if (status != unknown_wait_status && WIFEXITED(status)) exit_code = WEXITSTATUS(status);
  return name_of(end) + " " + how_it_ended(signal, exit_code);
}

std::exception_ptr crash_error(const worker_end& end, std::size_t item) {
  const remote_place place{.rank = end.rank, .pid = end.pid, .item = item};
  if (end.broke_rules) {
    return std::make_exception_ptr(error{
        errc::protocol_violation, name_of(end) + " was ended by the pool while it held item " +
                                      std::to_string(item) + ", because " + end.reason});
  }
  if (!end.reason.empty()) return std::make_exception_ptr(worker_crashed{place, end.reason});
  if (end.wait_status == unknown_wait_status) {
    return std::make_exception_ptr(worker_crashed{place, std::nullopt, std::nullopt});
  }
  return std::make_exception_ptr(worker_crashed::from_wait_status(place, end.wait_status));
}

bool ended_from_outside(int wait_status) {
  if (wait_status == unknown_wait_status) return true;
  if (!WIFSIGNALED(wait_status)) return false;
  switch (WTERMSIG(wait_status)) {
    // What a process does to itself, by a fault or on purpose.
    case SIGABRT:
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
    case SIGSEGV:
    case SIGSYS:
    case SIGTRAP:
    case SIGXCPU:
    case SIGXFSZ:
    case SIGPIPE:
    case SIGALRM:
      return false;
    default:
      return true;
  }
}

std::string start_error_of(const worker_end& how) {
  if (!how.start_error.empty()) return how.start_error;
  if (!how.reason.empty()) return how.reason;
  const int status = how.wait_status;
  const bool exited = status != unknown_wait_status && WIFEXITED(status);
  const int code = exited ? WEXITSTATUS(status) : -1;
  const std::string end = text_of(how);
  if (code == exit_without_init) {
    return "the program's main makes a pool without having called coterie::init(argc, argv) first";
  }
  if (code == exit_no_memory) {
    return end +
           ": it cannot use the memory shared with its parent, and says why on standard error; "
           "pool_options::shared_memory = false does without";
  }
  if (how.greeted) return end + " in its initializer";
  constexpr int loader_failed = 127;
  if (code == loader_failed) {
    return end +
           " before it reached coterie::init: could the dynamic loader not load the program? Its "
           "reason is on standard error";
  }
  if (exited) {
    return end + " before it reached coterie::init: does the program's main call that first?";
  }
  if (ended_from_outside(status)) return end + " while it was starting";
  return end +
         " before it reached coterie::init: in main, or in the constructor of a static object";
}

}  // namespace coterie::detail
