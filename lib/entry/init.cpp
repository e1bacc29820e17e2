// SPDX-License-Identifier: BSL-1.0
#include <coterie/init.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "processes/worker_environment.hpp"
#include "program/event_loop.hpp"
#include "program/program.hpp"
#include "program/rights.hpp"
#include "worker/parent_watch.hpp"
#include "worker/worker.hpp"

namespace coterie {

namespace {

// Of this process, if it is a worker.
constinit std::optional<detail::worker_environment> as_worker;

// What runs before `init` may take long, or stop. In the order of constructors this is the first
// of a program: the dynamic linker is all that runs before it.
[[gnu::constructor(101)]] void tie_before_all_else() {
  if (detail::started_with_more_rights()) return;
  const auto environment = detail::worker_environment::find();
  if (!environment || !environment->is_proven()) return;
  as_worker = environment;
  detail::end_with_parent(*environment);
}

}  // namespace

void init(int argc, char** argv) {
  auto& program = detail::program::instance();
  if (detail::worker_environment::find()) {
    if (as_worker) detail::serve_as_worker(*as_worker);
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
