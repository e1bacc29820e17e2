// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace coterie::detail {

/// Names a job for the life of its pool; 0 is no job.
using job_id = std::uint64_t;

/// Names a chunk for the life of its pool; 0 is no chunk.
using chunk_id = std::uint64_t;

}  // namespace coterie::detail
