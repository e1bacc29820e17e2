// SPDX-License-Identifier: BSL-1.0
#include <coterie/init.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include <boost/core/demangle.hpp>

#include <coterie/error.hpp>
#include <coterie/remote_info.hpp>

#include "processes/worker_environment.hpp"
#include "program/event_loop.hpp"
#include "program/program.hpp"
#include "program/rights.hpp"
#include "worker/worker.hpp"

namespace coterie {

namespace detail {

void report_fatal(const std::exception_ptr& problem) noexcept {
  const char* const name = program_invocation_short_name;
  try {
    std::rethrow_exception(problem);
  } catch (const worker_crashed& known) {  // says itself where that was
    std::fprintf(stderr, "%s: %s\n", name, known.what());
  } catch (const std::exception& known) {
    if (const remote_info* const origin = get_remote_info(known)) {
      std::fprintf(stderr, "%s: %s: %s (item %zu, in worker %d)\n", name,
                   origin->type_name().c_str(), known.what(), origin->item(), origin->rank());
    } else {
      std::fprintf(stderr, "%s: %s: %s\n", name,
                   boost::core::demangle(typeid(known).name()).c_str(), known.what());
    }
  } catch (...) {
    std::fprintf(stderr, "%s: ended by an exception that is no std::exception\n", name);
  }
}

}  // namespace detail

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
