// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include <coterie/pool.hpp>

#include "choices.hpp"
#include "links/ring_settings.hpp"
#include "simulated_call.hpp"
#include "simulated_machine.hpp"

namespace simulation {

/// What is decided before anything happens.
struct world_plan {
  int processes = 1;
  machine_faults faults;
  coterie::detail::ring_settings rings;
  std::size_t kill_in = 0;                  // steps: one of so many kills a worker from outside
  std::size_t leaves_at = ~std::size_t{0};  // the step at which the pool is destroyed
  coterie::worker_task initializer;
  coterie::worker_task finalizer;
  std::map<std::uint64_t, call_plan> calls;
  nanoseconds closed_after{};
  std::size_t acts_inside_in = 0;  // calls of the program's code: one of so many uses the pool
};

world_plan make_plan(choices& chance);

/// Code of the program throws in the parent, and workers are hostile, in some worlds. In some
/// no memory is shared, and items are short.
void add_misbehaviour(world_plan& plan, choices& chance);

}  // namespace simulation
