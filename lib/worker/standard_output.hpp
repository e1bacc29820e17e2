// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <iostream>

namespace coterie::detail {

/// What a task has printed must not wait in the worker for the next task, which may never come, or
/// kill it: it leaves before the news of the task does.
///
/// A program may have `std::cout` throw when it cannot be written. That is the fate of no item.
inline void flush_standard_output() {
  std::fflush(stdout);
  try {
    std::cout.flush();
  } catch (const std::exception&) {
    return;
  }
}

/// Has what goes into a pipe leave at each end of a line, as it does at a terminal: so it is there
/// if the next line crashes, and lines of several workers stay whole. To be called before anything
/// is written.
inline void write_whole_lines() noexcept {
  struct stat now{};
  if (::fstat(STDOUT_FILENO, &now) != 0 || !S_ISFIFO(now.st_mode)) return;
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
}

}  // namespace coterie::detail
