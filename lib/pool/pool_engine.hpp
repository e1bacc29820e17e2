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

#include "links/ring_settings.hpp"
#include "messages/frame.hpp"
#include "pool/sequencer.hpp"
#include "pool/worker_peer.hpp"
#include "processes/surroundings.hpp"
#include "schedule/scheduler.hpp"

namespace coterie::detail {

class pool_service;

/// Carries out what the scheduler decides: starts and ends processes, moves frames, hands results to
/// jobs, completes operations.
///
/// Everything below `enter` runs under the sequencer. Handlers that fall due on the way are collected,
/// and called when the engine has come to rest.
class pool_engine final : public pool_core, public std::enable_shared_from_this<pool_engine> {
 public:
  pool_engine(boost::asio::any_io_executor executor, const pool_options& options);
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

  // worker_peer's news
  void input_arrived(const std::shared_ptr<worker_peer>& worker, bool ended, std::size_t count);
  void output_possible(const std::shared_ptr<worker_peer>& worker);
  void time_to_look(const std::shared_ptr<worker_peer>& worker, look_for why);
  void output_arrived(const std::shared_ptr<worker_peer>& worker, worker_output& output);
  void process_ended(const std::shared_ptr<worker_peer>& worker);

  /// The event loop is being destroyed: everything is let go of, and no handler is called.
  void abandon() noexcept;
  /// The event loop goes on in a process that was forked from this pool's: what is pending fails here.
  void fail_in_child() noexcept;

 private:
  enum class from { event_loop, caller };

  struct open_job {
    std::shared_ptr<job> work;
    shared_payload definition;
    std::size_t chunksize = 0;  // 0: automatic
    bool is_stream = false;     // somebody waits for each result
    std::uint64_t seed = 0;
    std::vector<worker_id> told;  // workers that were sent the definition; some may have left since
  };

  struct counters {
    std::atomic<int> workers_ready = 0;
    std::atomic<std::uint64_t> workers_started = 0;
    std::atomic<std::uint64_t> workers_crashed = 0;
    std::atomic<std::uint64_t> starts_failed = 0;
    std::atomic<std::uint64_t> tasks_done = 0;
    std::atomic<std::uint64_t> tasks_failed = 0;
    std::atomic<std::uint64_t> workers_without_memory = 0;
    std::atomic<std::uint64_t> jobs_pending = 0;
  };

  // False: another thread is at work, and does this too.
  template <class Work>
  bool enter(from whence, Work&& work);
  void settle();
  void breakdown(std::exception_ptr problem) noexcept;
  void end_everything(const std::exception_ptr& problem);
  void reap_everything() noexcept;
  void retire(const std::shared_ptr<worker_peer>& worker) noexcept;
  bool is_former(const std::shared_ptr<worker_peer>& worker);

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

  void spawn_later();
  void spawn_next();
  bool end_call(job_id id, std::exception_ptr problem, bool kill);
  void begin_job(job_id id, const std::shared_ptr<job>& work);
  void end_job(job_id id, const std::exception_ptr& problem, bool kill);
  std::exception_ptr fail_rest(const action::give_up::job& left, job& work,
                               const std::exception_ptr& problem);
  void drop_job(job_id id, bool kill);
  void forget_job(job_id id, bool cancelled);
  void finish(job& work, std::exception_ptr problem);
  [[nodiscard]] bool is_cheap_to_move(worker_id victim) const;
  void send_chunk(worker_id to, chunk_id id, bool last);
  void flush_later(worker_peer& worker);

  bool listen_on(const std::shared_ptr<worker_peer>& worker);
  bool take_frames(worker_peer& worker);
  [[nodiscard]] bool holds_work(const worker_peer& worker) const;
  [[nodiscard]] bool broke_rules(const worker_peer& worker) const;
  std::optional<item_range> take_items(worker_peer& worker, const message::values& what);
  void take(worker_peer& worker, const frame& arrived);
  void take_hello(worker_peer& worker, const frame& arrived);
  static void take_not_ready(worker_peer& worker, const frame& arrived);
  void take_values(worker_peer& worker, const frame& arrived);
  void take_failure(worker_peer& worker, const frame& arrived);
  void take_done(worker_peer& worker, const frame& arrived);
  void take_released(job_id id);
  void fail_item(job_id id, std::size_t index, std::exception_ptr problem);
  void violation(worker_peer& worker, std::string what);
  void nonsense(worker_peer& worker, const std::string& details);
  void conclude(const std::shared_ptr<worker_peer>& worker);
  [[nodiscard]] worker_exit exit_of(const worker_peer& worker, kill_reason killed) const;
  [[nodiscard]] std::size_t may_have_begun(const worker_peer& worker) const;
  void take_last_words(const worker_end& end);
  [[nodiscard]] static std::string start_problem(const worker_peer& worker, const worker_end& how);
  void arm_timer();

  // Null if it has left.
  [[nodiscard]] worker_peer* peer(worker_id id) const {
    const auto found = workers_.find(id);
    return found == workers_.end() ? nullptr : found->second.get();
  }

  const boost::asio::any_io_executor executor_;
  const int processes_;
  const ring_settings rings_;
  const surroundings surroundings_;
  const std::uint64_t seed_;
  std::uint64_t calls_begun_ = 0;
  shared_payload setup_;
  pool_service* service_;

  sequencer sequencer_;
  std::atomic<job_id> last_job_ = 0;
  std::atomic<bool> closed_ = false;

  scheduler scheduler_;
  std::unordered_map<job_id, open_job> jobs_;
  std::unordered_map<worker_id, std::shared_ptr<worker_peer>> workers_;  // that have a process
  std::unordered_map<worker_id, worker_end> ended_;  // what the crash actions are about
  // Ended, but waits of theirs are still going on. Kept, because they must be let go of before the
  // event loop is.
  std::vector<std::shared_ptr<worker_peer>> leaving_;
  std::vector<std::shared_ptr<worker_peer>> to_flush_;
  std::deque<action::spawn> to_spawn_;
  bool spawn_posted_ = false;
  std::string last_start_problem_;

  std::optional<boost::asio::steady_timer> timer_;
  std::optional<scheduler::time_point> armed_for_;

  struct joiner {
    job_id id;
    std::unique_ptr<completion<>> handler;
  };
  std::vector<joiner> joiners_;
  std::exception_ptr finalizer_problem_;
  counters counters_;
  bool abandoned_ = false;

  deliveries due_;
};

}  // namespace coterie::detail
