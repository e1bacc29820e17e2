// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <vector>

namespace coterie::detail {

/// What tells this build of the executable from every other: its ELF build-id, or, if it was linked
/// without one, the file's device, inode, size and time of change.
const std::vector<std::byte>& executable_identity();

}  // namespace coterie::detail
