// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <unordered_map>
#include <utility>

#include <boost/container/small_vector.hpp>

#include <coterie/detail/home_process.hpp>
#include <coterie/detail/job.hpp>

#include "host/worker_host.hpp"
#include "messages/frame.hpp"
#include "pool/pool_counters.hpp"
#include "schedule/scheduler.hpp"

namespace coterie::detail {

/// The calls on a pool that have not completed: their inputs, their results on the way back, and
/// which workers know their functions.
///
/// What the program's own code throws here (its iterators, the types of its results) is the outcome
/// of its call, and of no other. Handlers that fall due are collected in `due`. Thread safety:
/// none.
class open_jobs {
 public:
  /// `seed` is that of the pool.
  open_jobs(scheduler& decides, worker_host& host, pool_counters& counters,
            const home_process& home, std::uint64_t seed)
      : scheduler_{decides}, host_{host}, counters_{counters}, home_{home}, seed_{seed} {}

  /// A call begins, or fails at once. `counters.jobs_pending` has it already.
  void begin(job_id id, const counted_ptr<job>& work);
  /// It ends, unless it has, with `error`. With `kill`, workers that run its items are killed.
  void end(job_id id, const std::exception_ptr& error, bool kill);
  void end_all(const std::exception_ptr& error);
  /// Every item is accounted for.
  void finish(job_id id);
  /// No worker can be started. Items that have no outcome yet fail with `error`, or the whole call
  /// does.
  void give_up(const action::give_up::job& left, const std::exception_ptr& error);
  /// The event loop is being destroyed: handlers are dropped uncalled.
  void abandon() noexcept;

  [[nodiscard]] bool contains(job_id id) const { return jobs_.contains(id); }

  /// Takes items from the input and sends them.
  void cut(const action::cut& what);
  /// Sends a chunk, and the function before it if the worker does not know that. `last`: no other
  /// chunk of its job will come.
  void send_chunk(worker_id to, chunk_id id, bool last);

  // Outcomes. Items of calls that have ended are ignored.
  void values(const item_range& items, std::span<const std::byte> results);
  void failure(job_id id, std::size_t item, std::exception_ptr error);
  /// Results may have left the pool.
  void take_released(job_id id);

  deliveries due;

 private:
  // What a worker knows of a job: its function, or that no more chunks of it were to come.
  enum class knowledge : bool { ready, forgets };

  struct open_job {
    counted_ptr<job> work;
    shared_payload definition;
    std::size_t chunksize = 0;  // 0: automatic
    bool is_stream = false;     // each result is waited for
    std::uint64_t seed = 0;
    // By the worker's id; some may have left since.
    boost::container::small_vector<std::pair<worker_id, knowledge>, 4> told;
  };

  void drop(job_id id, bool kill);
  void forget(open_job& gone, job_id id, bool cancelled);
  void one_less() noexcept { counters_.jobs_pending.fetch_sub(1, std::memory_order_relaxed); }
  void complete(job& work, std::exception_ptr error);
  std::exception_ptr fail_rest(const action::give_up::job& left, job& work,
                               const std::exception_ptr& error);

  scheduler& scheduler_;
  worker_host& host_;
  pool_counters& counters_;
  const home_process& home_;
  std::unordered_map<job_id, open_job> jobs_;
  const std::uint64_t seed_;
  std::uint64_t begun_ = 0;  // calls
};

}  // namespace coterie::detail
