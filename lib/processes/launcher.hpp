// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>

#include "processes/surroundings.hpp"
#include "system/unique_descriptor.hpp"

namespace coterie::detail {

/// A worker process that has just been started.
struct launched_worker {
  pid_t pid = 0;
  unique_descriptor process;  // a pidfd
  unique_descriptor link;     // the parent's end of the socket pair
};

/// Starts this program again as the worker `rank`: same executable, same arguments, standard input
/// from /dev/null, no other descriptor than standard output, standard error, the link and the lifeline. The
/// worker leads a process group.
///
/// It runs `/proc/self/exe`, so that a program which was replaced or deleted on disk still starts
/// workers of its own build. Where that file would give the worker more rights than this process has, the
/// worker is started without the means to gain any (`rights.hpp`).
///
/// Throws `boost::system::system_error` that names the step that failed.
launched_worker launch_worker(const boost::asio::any_io_executor& executor, int rank,
                              const surroundings& around);

}  // namespace coterie::detail
