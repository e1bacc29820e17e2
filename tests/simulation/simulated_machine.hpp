// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <vector>

#include "choices.hpp"
#include "event_loop.hpp"
#include "host/machine.hpp"
#include "links/ring_settings.hpp"
#include "simulated_worker.hpp"

namespace simulation {

/// What goes wrong, how often, and what the workers are like.
struct machine_faults {
  worker_faults workers;
  std::size_t failed_start_in = 0;    // starts: one of so many fails
  std::size_t refused_memory_in = 0;  // starts: one of so many gets no memory to share
};

/// What a machine tells of its workers.
class machine_events {
 public:
  virtual void worker_started(const simulated_worker& worker) = 0;
  virtual void worker_over(const simulated_worker& worker) = 0;
  /// It begins a chunk: what is known of those before was sent.
  virtual void next_chunk(const simulated_worker& worker) = 0;
  virtual void was_hostile(const simulated_worker& worker, const hostile_act& did) = 0;
  /// It is sent items.
  virtual void chunk_sent(pid_t worker, const coterie::detail::message::run& what) = 0;
  /// What it has sent was found to be what no worker sends.
  virtual void refused(pid_t worker) = 0;

 protected:
  ~machine_events() = default;
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
  std::vector<std::shared_ptr<simulated_worker>> workers_;
  pid_t last_pid_ = 1000;
};

}  // namespace simulation
