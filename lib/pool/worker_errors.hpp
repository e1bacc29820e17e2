// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <exception>
#include <string>

#include "pool/worker_peer.hpp"

namespace coterie::detail {

/// "worker 3 (pid 1234) was killed by SIGSEGV (Segmentation fault)".
std::string text_of(const worker_end& end);

/// What the item fails with that the worker held.
std::exception_ptr crash_error(const worker_end& end, std::size_t item);

/// Whether the next start may well succeed: another process killed this one, or the system ran out of memory.
bool ended_from_outside(int wait_status);

}  // namespace coterie::detail
