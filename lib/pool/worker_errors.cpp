// SPDX-License-Identifier: BSL-1.0
#include "pool/worker_errors.hpp"

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
  if (end.killed == kill_reason::broke_rules) {
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

}  // namespace coterie::detail
