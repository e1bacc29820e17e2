// SPDX-License-Identifier: BSL-1.0
#include <coterie/cpus.hpp>

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <exception>
#include <vector>

#include <coterie/detail/cgroup.hpp>

namespace coterie {
namespace detail {

int cpus_in_affinity_mask() {
  // The kernel refuses a set that is smaller than its own, and does not say how large that is.
  constexpr std::size_t first_size = 16;
  constexpr std::size_t last_size = 4096;
  for (std::size_t count = first_size; count <= last_size; count *= 2) {
    std::vector<cpu_set_t> sets(count);
    const std::size_t bytes = count * sizeof(cpu_set_t);
    if (::sched_getaffinity(0, bytes, sets.data()) == 0)
      return std::max(1, CPU_COUNT_S(bytes, sets.data()));
    if (errno != EINVAL) break;
  }
  return 1;
}

int cpus_within(int affinity, std::optional<double> quota) noexcept {
  double cpus = affinity;
  if (quota) cpus = std::min(cpus, std::ceil(*quota));
  return std::max(1, static_cast<int>(cpus));
}

}  // namespace detail

int available_cpus() noexcept {
  try {
    const int affinity = detail::cpus_in_affinity_mask();
    return detail::cpus_within(affinity, detail::cgroup_cpu_quota("/"));
  } catch (const std::exception&) {
    return 1;  // no memory for a few lines of text is no time for more processes
  }
}

}  // namespace coterie
