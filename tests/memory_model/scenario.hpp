// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <vector>

#include <coterie/detail/shared_word.hpp>

#include "relacy.hpp"

namespace memory_model {

/// What threads do to a structure at the same time, and what must hold of it, as a
/// `rl::test_suite`.
struct scenario {
  const char* says;
  bool (*simulate)(rl::test_params&);
  /// Random: so many interleavings as are asked for. Full: every one, but a load sees no more than
  /// the last two values.
  rl::scheduler_type_e search;
};

template <class Suite>
scenario random(const char* says) {
  return {.says = says, .simulate = &rl::simulate<Suite>, .search = rl::sched_random};
}
template <class Suite>
scenario full(const char* says) {
  return {.says = says, .simulate = &rl::simulate<Suite>, .search = rl::sched_full};
}

std::vector<scenario> ring_scenarios();
std::vector<scenario> bell_scenarios();
std::vector<scenario> worker_scenarios();
std::vector<scenario> claim_scenarios();
std::vector<scenario> result_scenarios();
std::vector<scenario> segment_scenarios();

inline void require(bool holds) { RL_ASSERT(holds); }

}  // namespace memory_model
