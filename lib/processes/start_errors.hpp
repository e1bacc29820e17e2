// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>

namespace coterie::detail {

/// Why this process can have no workers, and what to do; empty if it can.
///
/// Children in another pid namespace (`unshare --pid` without `--fork`) cannot be ended one by one:
/// the first of them takes all with it, and ends only when all have been reaped.
std::string why_no_workers();

/// Which thing is missing, or in the way, if starting `path` failed for `error`: a clause such as
/// "/proc is not mounted". Empty if the system's own text says it all.
std::string why_not_started(int error, const std::string& path);

}  // namespace coterie::detail
