// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>

namespace coterie::detail {

/// Whether a child that has not been reaped is on its way out, or gone. A process closes its
/// descriptors some time before its end can be waited for; this tells such a one from a process
/// that closed them and goes on. True also if that cannot be told.
bool is_exiting(pid_t child) noexcept;

}  // namespace coterie::detail
