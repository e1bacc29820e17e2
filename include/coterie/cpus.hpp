// SPDX-License-Identifier: BSL-1.0
#pragma once

// clang-format off: first of all
#include <coterie/detail/language.hpp>
// clang-format on

namespace coterie {

/// How many CPUs this process may use, at least 1: the smaller of the CPUs in its affinity mask
/// (`taskset`, `sched_setaffinity`, cpusets) and the quota of its control groups (`docker run
/// --cpus`, `CPUQuota=` of systemd), rounded up. This is what a pool with `processes = 0` starts.
///
/// Errors: never throws; what cannot be read sets no limit.
/// Thread safety: may be called at any time from any thread. Reads a few small files: not for
/// loops.
int available_cpus() noexcept;

}  // namespace coterie
