// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <vector>

#include "choices.hpp"
#include "event_loop.hpp"
#include "host/machine.hpp"
#include "links/ring_settings.hpp"
#include "machine_events.hpp"
#include "simulated_worker.hpp"

namespace simulation {

/// What goes wrong, how often, and what the workers are like.
struct machine_faults {
  worker_faults workers;
  std::size_t failed_start_in = 0;    // starts: one of so many fails
  std::size_t refused_memory_in = 0;  // starts: one of so many gets no memory to share
};

/// A machine whose processes are `simulated_worker`s.
class simulated_machine final : public coterie::detail::machine {
 public:
  /// `mischief` is the chance of hostile workers. All that is referred to outlives it.
  simulated_machine(event_loop& loop, choices& chance, choices& mischief, machine_faults faults,
                    coterie::detail::ring_settings rings, machine_events& events)
      : loop_{loop},
        chance_{chance},
        mischief_{mischief},
        faults_{faults},
        rings_{rings},
        events_{events} {}

  coterie::detail::started_worker start(int rank) override;

  /// Those that have not been reaped.
  [[nodiscard]] const std::vector<std::shared_ptr<simulated_worker>>& workers() const noexcept {
    return workers_;
  }

 private:
  friend class simulated_process;

  event_loop& loop_;
  choices& chance_;
  choices& mischief_;
  const machine_faults faults_;
  const coterie::detail::ring_settings rings_;
  machine_events& events_;
  choices races_{0};  // what a worker does while its parent revokes
  std::vector<std::shared_ptr<simulated_worker>> workers_;
  pid_t last_pid_ = 1000;
};

}  // namespace simulation
