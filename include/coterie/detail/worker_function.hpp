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

/// Makes a `worker_function` of a callable. Defined where the codec is, in `effect_task.hpp`; a
/// file that makes one without it is told what to include, by this name.
template <class F>
struct include_coterie_pool_hpp_to_make_a_worker_task;

}  // namespace coterie::detail
