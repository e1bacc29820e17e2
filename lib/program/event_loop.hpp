// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace coterie::detail {

/// Why the event loop that this library was built for cannot be used on this machine, in one line;
/// null if it can.
const char* event_loop_problem();

}  // namespace coterie::detail
