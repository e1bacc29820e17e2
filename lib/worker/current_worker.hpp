// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

#include "worker/worker_sink.hpp"

namespace coterie::detail {

/// What the functions of `this_worker` tell.
struct worker_state {
  int rank = -1;
  int size = 0;
  std::int64_t incarnation = -1;

  const worker_sink* running = nullptr;  // what items run for; null: none runs
  std::uint64_t first_of_chunk = 0;      // of the call's items, the chunk's first
  std::uint64_t seed_of_call = 0;
};

/// The state of the worker that this process is; null: it is none. A `worker_loop` sets it when it
/// begins. A process that runs several loops in turns sets it at each turn.
inline const worker_state* current_worker = nullptr;

}  // namespace coterie::detail
