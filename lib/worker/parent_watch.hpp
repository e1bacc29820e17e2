// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "worker/worker_environment.hpp"

namespace coterie::detail {

/// Makes the kernel end this worker when its parent ends, however that happens and whatever the
/// worker is doing: computing, waiting, or stopped by a signal.
void end_with_parent(const worker_environment& environment);

}  // namespace coterie::detail
