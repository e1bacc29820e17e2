// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdio>
#include <iostream>

namespace coterie::detail {

/// What a task has printed must not wait in the worker for the next task, which may never come, or kill
/// it: it leaves before the news of the task does.
inline void flush_standard_output() {
  std::fflush(stdout);
  std::cout.flush();
}

}  // namespace coterie::detail
