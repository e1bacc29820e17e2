// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <coterie/detail/pool_core.hpp>

#include "host/host_events.hpp"
#include "host/local_host.hpp"
#include "messages/frame.hpp"
#include "pool/open_jobs.hpp"
#include "pool/pool_counters.hpp"
#include "pool/sequencer.hpp"
#include "schedule/scheduler.hpp"

namespace coterie::detail {

class pool_service;

/// What a pool is like.
struct pool_settings {
  scheduler_settings schedule;
  host_settings host;
  std::uint64_t seed = 0;
};

/// Carries out what the scheduler decides: starts and ends processes, moves frames, hands results to
/// jobs, completes operations.
///
/// Everything below `enter` runs under the sequencer. Handlers that fall due on the way are collected,
/// and called when the engine has come to rest.
class pool_engine final : public pool_core,
                          public host_events,
                          public std::enable_shared_from_this<pool_engine> {
 public:
  pool_engine(boost::asio::any_io_executor executor, pool_settings settings);
  ~pool_engine() override;

  /// Begins to start workers. Apart from the constructor, because it needs `shared_from_this`.
  void start();

  // pool_core
  [[nodiscard]] boost::asio::any_io_executor executor() const override { return executor_; }
  job_id reserve() override { return ++last_job_; }
  void submit(job_id id, std::shared_ptr<job> work) override;
  void cancel(job_id id, std::exception_ptr problem, bool kill) override;
  void cancel_and_wait(job_id id, std::exception_ptr problem, bool kill) override;
  void run(job_id id, unique_function<void(deliveries&)> function) override;
  void close() override;
  void terminate() override;
  void join(job_id id, std::unique_ptr<completion<>> handler) override;
  void destroy() noexcept override;
  [[nodiscard]] bool closed() const noexcept override { return closed_; }
  [[nodiscard]] int size() const noexcept override { return processes_; }
  [[nodiscard]] pool_stats stats() const override;

  // host_events
  void happened(host_event what) override;
  [[nodiscard]] std::shared_ptr<host_events> share() override { return shared_from_this(); }
  [[nodiscard]] bool is_wanted(worker_id id) const override {
    return scheduler_.find(id) != nullptr;
  }
  [[nodiscard]] bool holds_work(worker_id id) const override {
    return scheduler_.chunks().current(id) != nullptr;
  }
  void started(worker_id id, bool lacks_memory) override;
  void not_started(worker_id id, bool scarce, std::string why) override;
  void ready(worker_id id, bool revocable) override { scheduler_.ready(id, revocable); }
  void said(worker_id id, const frame& what) override;
  void broke_rules(worker_id id) override { scheduler_.condemn(id, kill_reason::broke_rules); }
  void lost_link(worker_id id) override { scheduler_.condemn(id, kill_reason::lost_link); }
  void ended(worker_id id, const worker_end& how) override;

  /// The event loop is being destroyed: everything is let go of, and no handler is called.
  void abandon() noexcept;
  /// The event loop goes on in a process that was forked from this pool's: what is pending fails here.
  void fail_in_child() noexcept;

 private:
  enum class from { event_loop, caller };

  // False: another thread is at work, and does this too.
  template <class Work>
  bool enter(from whence, Work&& work);
  void settle();
  void breakdown(std::exception_ptr problem) noexcept;
  void end_everything(const std::exception_ptr& problem);
  void reap_everything() noexcept;

  void perform(const action::spawn& what);
  void perform(const action::cut& what);
  void perform(const action::resend& what);
  void perform(const action::revoke& what);
  void perform(const action::crash& what);
  void perform(const action::finish& what);
  void perform(const action::give_up& what);
  void perform(const action::kill& what);
  void perform(const action::stop& what);
  void perform(const action::all_gone& what);

  bool end_call(job_id id, std::exception_ptr problem, bool kill);
  [[nodiscard]] bool is_cheap_to_move(worker_id victim) const;

  std::optional<item_range> take_items(worker_id id, const message::values& what);
  void take_values(worker_id id, const frame& arrived);
  void take_failure(worker_id id, const frame& arrived);
  void take_done(worker_id id, const message::done& what);
  [[nodiscard]] std::size_t may_have_begun(worker_id id) const;
  void take_last_words(const worker_end& end);
  void arm_timer();

  const boost::asio::any_io_executor executor_;
  const int processes_;
  pool_service* service_;

  sequencer sequencer_;
  std::atomic<job_id> last_job_ = 0;
  std::atomic<bool> closed_ = false;

  scheduler scheduler_;
  local_host host_;
  pool_counters counters_;
  open_jobs jobs_;
  std::unordered_map<worker_id, worker_end> ended_;  // what the crash actions are about
  std::string last_start_error_;

  std::optional<boost::asio::steady_timer> timer_;
  std::optional<scheduler::time_point> armed_for_;

  struct joiner {
    job_id id;
    std::unique_ptr<completion<>> handler;
  };
  std::vector<joiner> joiners_;
  std::exception_ptr finalizer_error_;
  bool abandoned_ = false;
};

}  // namespace coterie::detail
