// SPDX-License-Identifier: BSL-1.0
#include "worker/process_runtime.hpp"

#include <sched.h>
#include <unistd.h>

#include <cstdlib>

#include "system/futex.hpp"
#include "system/wait_for_socket.hpp"

namespace coterie::detail {

void process_runtime::wait_for_input(int descriptor) { detail::wait_for_input(descriptor); }

void process_runtime::wait_for_output(int descriptor) { detail::wait_for_output(descriptor); }

bool process_runtime::wait_on_word(const std::uint64_t& word, std::uint64_t value,
                                   std::chrono::nanoseconds limit) {
  return detail::wait_on_word(word, value, limit);
}

void process_runtime::yield() { ::sched_yield(); }

void process_runtime::do_exit(int code) { std::exit(code); }

void process_runtime::do_exit_at_once(int code) { ::_exit(code); }

}  // namespace coterie::detail
