// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/asio/execution_context.hpp>

namespace coterie::detail {

/// Why the event loop that this library was built for cannot be used on this machine, in one line;
/// null if it can.
const char* event_loop_problem();

/// To be called before an event loop is destroyed in a process that was forked from its own, and
/// did not tell it so (`notify_fork`): makes that harmless there.
void leave_event_loop(boost::asio::execution_context& loop) noexcept;

}  // namespace coterie::detail
