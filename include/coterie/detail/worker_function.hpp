// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <vector>

#include <coterie/detail/function_reference.hpp>

namespace coterie::detail {

/// A function for a worker, with all it needs, as it travels: which factory makes a task of it, and
/// the bytes that the factory is given.
struct worker_function {
  function_reference factory;  ///< offset 0: there is no function
  std::vector<std::byte> callable;

  explicit operator bool() const noexcept { return factory.offset != 0; }
};

}  // namespace coterie::detail
