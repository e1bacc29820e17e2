// SPDX-License-Identifier: BSL-1.0
#include "errors/how_it_ended.hpp"

#include <cstring>

namespace coterie::detail {

std::string how_it_ended(std::optional<int> signal, std::optional<int> exit_code) {
  if (signal) {
    const char* name = ::sigabbrev_np(*signal);
    const char* description = ::sigdescr_np(*signal);
    if (name == nullptr) return "was killed by signal " + std::to_string(*signal);
    std::string text = std::string("was killed by SIG") + name;
    if (description != nullptr) text += std::string(" (") + description + ")";
    return text;
  }
  if (exit_code) return "exited with code " + std::to_string(*exit_code);
  return "ended in an unknown way";
}

}  // namespace coterie::detail
