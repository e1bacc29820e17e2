// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <iostream>

namespace coterie::detail {

/// Writes out what a task has printed, before the parent learns of the task. The next task may
/// never come, or may kill the worker.
///
/// A program may have `std::cout` throw when it cannot be written. No item fails by that.
inline void flush_standard_output() {
  std::fflush(stdout);
  try {
    std::cout.flush();
  } catch (const std::exception&) {
    return;
  }
}

/// Has standard output written at the end of each line also if it is a pipe. So a line is out
/// before the next one crashes, and lines of several workers stay whole. Precondition: nothing was
/// written.
inline void write_whole_lines() noexcept {
  struct stat now{};
  if (::fstat(STDOUT_FILENO, &now) != 0 || !S_ISFIFO(now.st_mode)) return;
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
}

}  // namespace coterie::detail
