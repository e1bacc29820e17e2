// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "processes/worker_environment.hpp"

namespace coterie::detail {

/// Ends this process if its parent has ended before it tied the worker to itself by the `lifeline`.
/// From then on the lifeline ends the worker.
void end_without_parent(const worker_environment& environment);

}  // namespace coterie::detail
