// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include <coterie/detail/home_process.hpp>

#include "host/host_events.hpp"
#include "host/worker_host.hpp"
#include "messages/frame.hpp"
#include "pool/open_jobs.hpp"
#include "pool/pool_counters.hpp"
#include "runtime/runtime.hpp"
#include "schedule/scheduler.hpp"

namespace coterie::detail {

/// The whole of a pool but for its threads: takes events to the scheduler, and carries out the
/// scheduler's actions, on the calls (`open_jobs`) and on the workers (`worker_host`).
///
/// Thread safety: none. Handlers that fall due are collected in `jobs().due`.
class dispatcher final : public host_events {
 public:
  using time_point = runtime::time_point;
  using make_host = std::function<std::unique_ptr<worker_host>(host_events&)>;

  dispatcher(const scheduler_settings& settings, std::uint64_t seed, const make_host& host,
             runtime& runs_on, const home_process& home);

  [[nodiscard]] open_jobs& jobs() noexcept { return jobs_; }
  [[nodiscard]] pool_counters& counters() noexcept { return counters_; }
  [[nodiscard]] const pool_counters& counters() const noexcept { return counters_; }
  [[nodiscard]] pool_phase phase() const noexcept { return scheduler_.phase(); }
  /// What a finalizer threw first, or how a worker ended in it; null: nothing.
  [[nodiscard]] const std::exception_ptr& finalizer_error() const noexcept {
    return finalizer_error_;
  }

  /// Carries out all that is due. To be called at the end of each turn.
  void settle();

  void close() { scheduler_.close(); }
  /// Ends all calls with `error`, and has all workers killed.
  void terminate(const std::exception_ptr& error);
  /// Kills and reaps them at once. Precondition: `terminate`.
  void reap_all() noexcept;
  /// Gives everything back at once, because the event loop is being destroyed. No handler is
  /// called.
  void abandon() noexcept;
  /// The event loop has nothing to tell any more: this process was forked from the pool's.
  void stop_waiting() noexcept;

  // host_events
  [[nodiscard]] bool is_wanted(worker_id id) const override {
    return scheduler_.find(id) != nullptr;
  }
  [[nodiscard]] expected_news expects(worker_id id) const override;
  void started(worker_id id, bool lacks_memory) override;
  void not_started(worker_id id, bool scarce, std::string why) override;
  void ready(worker_id id, bool revocable) override { scheduler_.ready(id, revocable); }
  void said(worker_id id, const frame& what) override;
  void broke_rules(worker_id id) override { scheduler_.condemn(id, kill_reason::broke_rules); }
  void lost_link(worker_id id) override { scheduler_.condemn(id, kill_reason::lost_link); }
  void ended(worker_id id, const worker_end& how) override;

 private:
  void perform(const action::spawn& what);
  void perform(const action::cut& what) { jobs_.cut(what); }
  void perform(const action::resend& what) { jobs_.send_chunk(what.worker, what.chunk, false); }
  void perform(const action::revoke& what);
  void perform(const action::crash& what);
  void perform(const action::finish& what) { jobs_.finish(what.job); }
  void perform(const action::give_up& what);
  void perform(const action::kill& what);
  void perform(const action::stop& what) { host_->stop(what.worker); }
  void perform(const action::all_gone&) {}  // the phase tells

  [[nodiscard]] bool is_cheap_to_move(worker_id victim) const;
  std::optional<item_range> take_items(worker_id id, chunk_id chunk, const item_range& in_chunk);
  void take_values(worker_id id, const frame& arrived);
  void take_failure(worker_id id, const frame& arrived);
  void take_done(worker_id id, const message::done& what);
  [[nodiscard]] std::size_t may_have_begun(worker_id id) const;
  void take_last_words(const worker_end& end);
  void arm_timer();

  runtime& runtime_;
  const home_process& home_;
  scheduler scheduler_;
  const std::unique_ptr<worker_host> host_;
  pool_counters counters_;
  open_jobs jobs_;
  std::unordered_map<worker_id, worker_end> ended_;  // what the crash actions are about
  std::string last_start_error_;
  std::exception_ptr finalizer_error_;
  std::unique_ptr<runtime_timer> timer_;  // none once all workers are reaped
  std::optional<time_point> armed_for_;
};

}  // namespace coterie::detail
