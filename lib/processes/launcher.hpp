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
  unique_descriptor process;  // a pidfd, if there are any
  unique_descriptor link;     // the parent's end of the socket pair
  opened_output output;       // where its standard output goes
  opened_output error;
};

/// Starts this program again as the worker `rank`: same executable, same arguments, standard input
/// from /dev/null, no other descriptor than standard output, standard error, the link and the
/// lifeline. The worker leads a process group.
///
/// What is run is told by `program_to_start`. Where that file would give the worker more rights
/// than this process has, the worker is started without the means to gain any (`rights.hpp`).
///
/// Throws `boost::system::system_error` that names the step that failed.
launched_worker launch_worker(const boost::asio::any_io_executor& executor, int rank,
                              const surroundings& around);

}  // namespace coterie::detail
