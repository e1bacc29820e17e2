// SPDX-License-Identifier: BSL-1.0
#include <coterie/init.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "processes/worker_environment.hpp"
#include "program/event_loop.hpp"
#include "program/program.hpp"
#include "program/rights.hpp"
#include "worker/worker.hpp"

namespace coterie {

void init(int argc, char** argv) {
  auto& program = detail::program::instance();
  if (const auto environment = detail::worker_environment::find()) {
    const bool believable = !detail::started_with_more_rights();
    if (believable && environment->is_proven()) detail::serve_as_worker(*environment);
    // No pool in it, believed or not: it may be a worker, which would start workers without end.
    program.called_worker = true;
  }
  // Neither this process nor what it starts is to be taken for a worker later.
  detail::worker_environment::forget();
  if (const char* const problem = detail::event_loop_problem()) {
    std::fprintf(stderr, "%s: %s\n", program_invocation_short_name, problem);
    std::exit(69);  // EX_UNAVAILABLE
  }
  program.has_output = ::fcntl(STDOUT_FILENO, F_GETFD) >= 0;
  program.has_error = ::fcntl(STDERR_FILENO, F_GETFD) >= 0;
  program.initialized = true;
  program.arguments.assign(argv, argv + argc);
}

}  // namespace coterie
