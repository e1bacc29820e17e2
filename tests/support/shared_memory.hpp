// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdlib>
#include <string_view>

namespace test {

/// Whether these tests run over sockets: `COTERIE_SHARED_MEMORY=0`.
inline bool over_sockets() {
  const char* const value = std::getenv("COTERIE_SHARED_MEMORY");
  return value != nullptr && std::string_view{value} == "0";
}

}  // namespace test
