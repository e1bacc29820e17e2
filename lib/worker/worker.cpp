// SPDX-License-Identifier: BSL-1.0
#include "worker/worker.hpp"

#include <fcntl.h>
#include <sys/prctl.h>

#include <cerrno>

#include "worker/process_runtime.hpp"
#include "worker/standard_output.hpp"
#include "worker/worker_loop.hpp"
#include "worker/worker_transport.hpp"

namespace coterie::detail {

void serve_as_worker(const worker_environment& environment) {
  constexpr int descriptor = worker_environment::link_descriptor;
  worker_environment::forget();
  // Started through /proc/self/exe, the process would otherwise be known as "exe".
  ::prctl(PR_SET_NAME, program_invocation_short_name);

  // Programs that tasks start must not hold the parent's link open.
  ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);

  write_whole_lines();
  // These live for ever: threads that tasks have left behind must not see them destroyed at exit.
  static auto* const runtime = new process_runtime;
  static auto* const loop = new worker_loop{
      environment.rank, worker_transport::accept(descriptor, *runtime), *runtime, descriptor};
  loop->run();
}

}  // namespace coterie::detail
