// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <exception>
#include <string>

#include "processes/exit_status.hpp"

namespace coterie::detail {

/// How a worker has ended, as an error tells it.
struct worker_end {
  int rank = 0;
  pid_t pid = 0;
  int wait_status = unknown_wait_status;
  std::string reason;        // "it ...", if more is known than the status tells
  bool broke_rules = false;  // for that reason
  bool greeted = false;      // it had reached `coterie::init`
  std::string start_error;   // what it said of its start itself
};

/// "worker 3 (pid 1234) was killed by SIGSEGV (Segmentation fault)".
std::string text_of(const worker_end& end);

/// What the item fails with that the worker held.
std::exception_ptr crash_error(const worker_end& end, std::size_t item);

/// Whether the next start may well succeed: another process killed this one, or the system ran out
/// of memory.
bool ended_from_outside(int wait_status);

/// Why a worker was never ready.
std::string start_error_of(const worker_end& end);

}  // namespace coterie::detail
