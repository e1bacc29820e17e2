// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "processes/worker_environment.hpp"

namespace coterie::detail {

/// Ends this process if its parent has ended; from now on, the `lifeline` does that. The parent
/// ties the worker to itself as well, but may have been killed before it could.
void end_with_parent(const worker_environment& environment);

}  // namespace coterie::detail
