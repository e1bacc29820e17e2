// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "processes/worker_environment.hpp"

namespace coterie::detail {

/// Serves as a worker, by a `worker_loop`, until the parent says to stop or is gone. This is all
/// that the process does: `main` never goes on.
[[noreturn]] void serve_as_worker(const worker_environment& environment);

}  // namespace coterie::detail
