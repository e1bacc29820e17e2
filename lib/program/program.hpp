// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <vector>

namespace coterie::detail {

/// What `init` learnt of this program, which is what a worker is started with.
struct program {
  bool initialized = false;
  bool called_worker = false;  // by its environment, which was not believed
  // The program was started with these. Where it was not, other files get their numbers.
  bool has_output = true;
  bool has_error = true;
  std::vector<std::string> arguments;

  static program& instance();
};

}  // namespace coterie::detail
