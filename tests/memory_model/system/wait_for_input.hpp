// SPDX-License-Identifier: BSL-1.0
#pragma once

// In the place of lib/system/wait_for_input.hpp: waits for what a scenario rings.

namespace coterie::detail {

void wait_for_input(int descriptor);

}  // namespace coterie::detail
