// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <vector>

#include "processes/lifeline.hpp"
#include "system/unique_descriptor.hpp"

namespace coterie::detail {

/// What the processes of a pool find around them, as far as the options of the pool say.
struct surroundings {
  ends_with_parent ends = ends_with_parent::process_group;
  unique_descriptor directory;  // where they begin
  std::vector<std::string>
      environment;  // beside the program's: "NAME=value", or "NAME" to take it away
};

}  // namespace coterie::detail
