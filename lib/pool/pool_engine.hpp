// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include <coterie/detail/pool_core.hpp>

#include "links/ring_settings.hpp"
#include "pool/dispatcher.hpp"
#include "pool/sequencer.hpp"
#include "processes/surroundings.hpp"
#include "runtime/asio_runtime.hpp"
#include "schedule/scheduler.hpp"

namespace coterie::detail {

class pool_service;

/// What a pool is like.
struct pool_settings {
  scheduler_settings schedule;
  ring_settings rings;
  surroundings around;
  shared_payload setup;  // the payload of `message::setup`
  std::uint64_t seed = 0;
};

/// A pool in its event loop: brings calls and events to the `dispatcher` one at a time, whatever
/// threads they come from, gives it a clock, and calls the handlers that fall due.
///
/// Everything below `enter` runs under the sequencer: those are the turns of the `runtime`.
/// Handlers that fall due on the way are collected, and called when the engine has come to rest.
class pool_engine final : public pool_core,
                          public asio_runtime,
                          public std::enable_shared_from_this<pool_engine> {
 public:
  pool_engine(boost::asio::any_io_executor executor, pool_settings settings);
  ~pool_engine() override;

  /// Begins to start workers. Apart from the constructor, because it needs `shared_from_this`.
  void start();

  // pool_core
  [[nodiscard]] boost::asio::any_io_executor executor() const override { return event_loop(); }
  job_id reserve() override { return ++last_job_; }
  void submit(job_id id, counted_ptr<job> work) override;
  void cancel(job_id id, std::exception_ptr problem, bool kill) override;
  void cancel_and_wait(job_id id, std::exception_ptr problem, bool kill) override;
  void run(job_id id, unique_function<void(deliveries&)> function) override;
  void run_soon(job_id id) override;
  void close() override;
  void terminate() override;
  void join(job_id id, std::unique_ptr<delivery> handler) override;
  void destroy() noexcept override;
  [[nodiscard]] bool closed() const noexcept override { return closed_; }
  [[nodiscard]] int size() const noexcept override { return processes_; }
  [[nodiscard]] pool_stats stats() const override;

  // runtime
  void enter(turn what) override { enter(from::event_loop, std::move(what)); }
  [[nodiscard]] std::shared_ptr<runtime> share() override { return shared_from_this(); }

  /// The event loop is being destroyed: everything is let go of, and no handler is called.
  void abandon() noexcept;
  /// The event loop goes on in a process that was forked from this pool's: what is pending fails
  /// here.
  void fail_in_child() noexcept;

 private:
  enum class from { event_loop, caller };

  // False: another thread is at work, and does this too.
  template <class Work>
  bool enter(from whence, Work&& work);
  void settle();
  void breakdown(std::exception_ptr problem) noexcept;
  void end_everything(const std::exception_ptr& problem);
  bool end_call(job_id id, std::exception_ptr problem, bool kill);
  [[nodiscard]] open_jobs& jobs() noexcept { return dispatcher_.jobs(); }

  const int processes_;
  pool_service* service_;

  sequencer sequencer_;
  std::atomic<job_id> last_job_ = 0;
  std::atomic<bool> closed_ = false;

  dispatcher dispatcher_;

  struct joiner {
    job_id id;
    std::unique_ptr<delivery> handler;
  };
  std::vector<joiner> joiners_;
  bool abandoned_ = false;
};

}  // namespace coterie::detail
