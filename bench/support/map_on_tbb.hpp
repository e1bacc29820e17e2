// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <tbb/parallel_for.h>

namespace bench {

/// The results of `task(0)`, `task(1)` and so on, in pieces whose size TBB chooses.
template <class Task>
std::vector<std::int64_t> map_on_tbb(std::size_t tasks, Task task) {
  std::vector<std::int64_t> results(tasks);
  tbb::parallel_for(std::size_t{0}, tasks, [&](std::size_t each) { results[each] = task(each); });
  return results;
}

}  // namespace bench
