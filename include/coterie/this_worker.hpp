// SPDX-License-Identifier: BSL-1.0
#pragma once

// clang-format off: first of all
#include <coterie/detail/language.hpp>
// clang-format on

/// Where a task runs.
namespace coterie::this_worker {

/// The rank of this worker, from 0 to `size() - 1`, or -1 in a process that is no worker. A worker
/// that replaces another takes over its rank.
///
/// Thread safety: may be called from any thread. Never throws.
///
/// Example: a file of its own for each worker.
/// @code
/// std::ofstream log{fmt::format("worker-{}.log", coterie::this_worker::rank())};
/// @endcode
int rank() noexcept;

/// The number of workers in the pool that this one belongs to, or 0 in a process that is no worker.
///
/// Thread safety: may be called from any thread. Never throws.
int size() noexcept;

}  // namespace coterie::this_worker
