// SPDX-License-Identifier: BSL-1.0
#include "program/program.hpp"

namespace coterie::detail {

program& program::instance() {
  static program the_program;
  return the_program;
}

}  // namespace coterie::detail
