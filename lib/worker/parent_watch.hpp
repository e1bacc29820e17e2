// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "processes/worker_environment.hpp"

namespace coterie::detail {

/// Ends this process if its parent has ended already: before it could tie the worker to itself by
/// the `lifeline`, which does the rest.
void end_without_parent(const worker_environment& environment);

}  // namespace coterie::detail
