// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <optional>
#include <string>

namespace coterie::detail {

/// "was killed by SIGSEGV (Segmentation fault)", "exited with code 3", "ended in an unknown way".
std::string how_it_ended(std::optional<int> signal, std::optional<int> exit_code);

}  // namespace coterie::detail
