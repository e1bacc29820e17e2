// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>

#include <boost/asio/any_io_executor.hpp>

#include <coterie/detail/delivery.hpp>
#include <coterie/detail/home_process.hpp>
#include <coterie/detail/job.hpp>
#include <coterie/detail/unique_function.hpp>
#include <coterie/detail/worker_function.hpp>
#include <coterie/event_loop.hpp>
#include <coterie/pool_options.hpp>
#include <coterie/pool_stats.hpp>

namespace coterie::detail {

/// Names a job for the life of its pool; 0 is no job.
using job_id = std::uint64_t;

/// What is behind a `pool`: compiled, and knowing bytes, not types.
///
/// All functions may be called from any thread. Whatever they cause happens in one thread at a
/// time, in the order of the calls; a call that finds the pool at work leaves its wish and returns.
/// Handlers are never called from inside a function of this class.
///
/// In a process that was forked from `home`, nothing happens at all: no function touches what both
/// processes share. Those that start something first call `home.require()`, which throws.
class pool_core {
 public:
  /// Throws `std::invalid_argument` (options out of range) and `error` (`errc::not_initialized`).
  static std::shared_ptr<pool_core> make(boost::asio::any_io_executor executor,
                                         const pool_options& options, event_loop_contract);

  pool_core() = default;
  pool_core(const pool_core&) = delete;
  pool_core& operator=(const pool_core&) = delete;
  virtual ~pool_core() = default;

  [[nodiscard]] virtual boost::asio::any_io_executor executor() const = 0;

  /// A name for a job that will be submitted.
  virtual job_id reserve() = 0;
  virtual void submit(job_id id, counted_ptr<job> work) = 0;
  /// Ends a job, unless it has ended already, with `problem`. With `kill`, the workers that run its
  /// items are ended as well.
  virtual void cancel(job_id id, std::exception_ptr problem, bool kill) = 0;
  /// The same, and returns when the job's input is read no more: waits for a thread that is reading
  /// it. If it is this one, which reads it further up, it stops when it comes back there.
  virtual void cancel_and_wait(job_id id, std::exception_ptr problem, bool kill) = 0;
  /// Runs `function`, which looks after the results of the job `id`, when nothing else of the pool
  /// does. It is destroyed without being called if the event loop is gone, or away from home.
  virtual void run(job_id id, unique_function<void(deliveries&)> function) = 0;

  /// As `run` of nothing, in a turn of the event loop: what was taken from the results of the job
  /// is noticed then.
  virtual void run_soon(job_id id) = 0;

  virtual void close() = 0;
  virtual void terminate() = 0;
  /// `id` is a reserved name, by which the wait can be cancelled.
  virtual void join(job_id id, std::unique_ptr<delivery> handler) = 0;
  /// Terminates, and returns when no process is left.
  virtual void destroy() noexcept = 0;

  const home_process home;

  [[nodiscard]] virtual bool closed() const noexcept = 0;
  [[nodiscard]] virtual int size() const noexcept = 0;
  [[nodiscard]] virtual pool_stats stats() const = 0;
};

}  // namespace coterie::detail
