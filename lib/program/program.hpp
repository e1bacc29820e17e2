// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <vector>

namespace coterie::detail {

/// What `init` learnt of this program, which is what a worker is started with.
struct program {
  bool initialized = false;
  bool called_worker = false;  // by its environment, which was not believed
  std::vector<std::string> arguments;

  static program& instance();
};

}  // namespace coterie::detail
