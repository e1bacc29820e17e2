// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>

#include "system/unique_descriptor.hpp"

namespace coterie::detail {

/// A worker process that has just been started.
struct launched_worker {
  pid_t pid = 0;
  unique_descriptor process;  // a pidfd
  unique_descriptor link;     // the parent's end of the socket pair
};

/// Starts this program again as the worker `rank`: same executable, same arguments, standard input
/// from /dev/null, no other descriptor than standard output, standard error, the link and the lifeline.
///
/// It runs `/proc/self/exe`, so that a program which was replaced or deleted on disk still starts
/// workers of its own build; and it uses `posix_spawn`, whose cost does not grow with the parent's
/// memory as that of `fork` does.
///
/// Throws `boost::system::system_error` that names the step that failed.
launched_worker launch_worker(int rank);

}  // namespace coterie::detail
