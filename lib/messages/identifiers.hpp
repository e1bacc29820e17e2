// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace coterie::detail {

/// Names a job for the life of its pool; 0 is no job.
using job_id = std::uint64_t;

/// Names a chunk for the life of its pool; 0 is no chunk.
using chunk_id = std::uint64_t;

/// Names a worker for the life of its pool: one process, and never another one. 0 is no worker. A
/// rank is less than that: processes have it one after another.
using worker_id = std::uint64_t;

/// No chunk has more items, so that a place in it is told in 32 bits, by messages and by the words
/// in shared memory.
inline constexpr std::size_t most_items = 0xffff'ffff;

}  // namespace coterie::detail
