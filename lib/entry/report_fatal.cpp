// SPDX-License-Identifier: BSL-1.0
#include <cerrno>
#include <cstdio>
#include <exception>
#include <typeinfo>

#include <boost/core/demangle.hpp>

#include <coterie/error.hpp>
#include <coterie/init.hpp>
#include <coterie/remote_info.hpp>

namespace coterie::detail {

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

}  // namespace coterie::detail
