// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "messages/identifiers.hpp"
#include "schedule/actions.hpp"
#include "schedule/giving.hpp"
#include "schedule/restart_policy.hpp"
#include "schedule/stealing.hpp"
#include "schedule/tables.hpp"

namespace coterie::detail {

struct scheduler_settings {
  int processes = 1;
  std::chrono::nanoseconds start_timeout{};  // zero: no limit
  restart_limits restarts{};
};

/// How far a pool is on its way to its end.
enum class pool_phase : std::uint8_t {
  open,
  closing,     // no more jobs come; those that are there are finished
  terminated,  // no more jobs, and every worker is killed
  gone,        // the last worker has left
};

/// How a worker has ended, as far as that matters for what it held and for the start of the next.
struct worker_exit {
  static constexpr std::size_t everything = static_cast<std::size_t>(-1);

  /// Items of the chunk that it ran which may have begun and were not heard of. `everything`: all
  /// that it held may have begun.
  std::size_t begun = 1;
  /// If it was never ready: why.
  start_failure start = start_failure::of_program;
};

/// Decides which worker gets which items, and when workers start and leave.
///
/// Pure: it does no input or output, reads no clock and knows no types. Events go in through the
/// member functions; `next` hands out what is to be done, one action at a time, until there is
/// nothing more. News of a worker that has left are ignored.
///
/// Rules it keeps:
/// - Idle workers first, and the job with the fewest chunks under way first, so that a single call
///   does not wait behind a million-item map.
/// - A worker holds chunks of one job at a time. What it runs is therefore always of the job that
///   a cancellation kills it for, even when the news of its progress is still on its way.
/// - A worker that runs a chunk has a second one prefetched, so that it never idles while the
///   parent hears of its results. If that cannot be revoked, it is given only while chunks are
///   short.
/// - What a worker has not begun is stolen for an idle one, and is revoked for a job that has fewer
///   chunks under way and would have to wait: the worker is preempted.
/// - A dead worker costs the items that it may have begun; what it held behind them is sent again.
class scheduler {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit scheduler(scheduler_settings settings);

  // Events: jobs.
  /// Returns the limits that hold: no chunk and no window is larger than `most_items`, whatever was
  /// asked for. So no cut asks for more.
  job_limits add_job(job_id job, job_limits limits);
  /// Forgets a job that completed early: what is queued is dropped, what workers hold and have not
  /// begun is revoked; what runs, runs on, and its results are dropped. With `kill`, it is ended
  /// together with its worker.
  void drop_job(job_id job, bool kill);
  /// The answer to `action::cut`; no items and `exhausted` means that the input had already ended.
  void cut_done(chunk_id chunk, std::size_t count, bool exhausted,
                std::shared_ptr<const byte_buffer> items = {});
  /// A chunk that was cut, or is to be sent again, is sent to its holder now.
  const ledger::chunk& sent(chunk_id chunk) { return known_.chunks.sent(chunk); }
  /// `count` results of a job whose items are held until consumed have left the pool.
  void consumed(job_id job, std::size_t count);

  // Events: workers.
  void started(worker_id id, time_point now) { known_.workers.started(id, now); }
  /// `revocable`: what the worker holds can be revoked.
  void ready(worker_id id, bool revocable = false);
  /// The process is gone, or could not be made. Items that may have begun are lost with it; all
  /// that it held behind them is sent again.
  departure exited(worker_id id, time_point now, worker_exit how = {});
  /// `count` more items of the chunk that the worker runs are finished. False: that cannot be.
  [[nodiscard]] bool items_done(worker_id id, chunk_id chunk, std::size_t count);
  /// The worker is done with `chunk`, having been busy for `busy`. False: that cannot be.
  [[nodiscard]] bool chunk_done(worker_id id, chunk_id chunk, std::chrono::nanoseconds busy);
  /// The answer to `action::revoke`, if anything came back: the worker keeps the chunk `begun` up
  /// to the item with the index `kept`, and what it was given before that; without `begun`,
  /// nothing.
  void revoked(worker_id victim, chunk_id begun, std::size_t kept);
  /// The worker is killed for its own fault, and loses what it holds.
  void condemn(worker_id id, kill_reason why = kill_reason::broke_rules);

  // Events: the pool.
  void close();
  /// Forgets every job and kills every worker.
  void terminate();
  void tick(time_point now);
  /// To be told when `next` has nothing more, if `wants_time` says so.
  void rest(time_point now) { stealing_.rest(known_, now); }
  [[nodiscard]] bool wants_time() const noexcept { return stealing_.wants_time(); }

  /// The next thing to do, if any.
  [[nodiscard]] std::optional<scheduler_action> next();

  /// When `tick` wants to be called, if ever.
  [[nodiscard]] std::optional<time_point> next_deadline() const;
  [[nodiscard]] pool_phase phase() const noexcept { return phase_; }
  [[nodiscard]] bool gone() const noexcept { return phase_ == pool_phase::gone; }
  [[nodiscard]] int workers_ready() const noexcept { return known_.workers.ready_count(); }
  /// Null if it has left. `planned`: the process asked for by `action::spawn` is still wanted.
  [[nodiscard]] const worker* find(worker_id id) const noexcept { return known_.workers.find(id); }
  [[nodiscard]] bool has_job(job_id job) const { return known_.jobs.contains(job); }
  [[nodiscard]] const ledger& chunks() const noexcept { return known_.chunks; }

 private:
  // Jobs and chunks: scheduler.cpp
  void put_down(chunk_id id);
  void put_back(job_state& job, const std::deque<chunk_id>& chunks);
  void finish_items(job_id id, std::size_t count);
  void finish_if_done(job_id id);
  void erase_job(job_id id);
  void erase_all_jobs();

  // Coming and leaving: scheduler_workers.cpp
  void fill();
  void lose(worker_id dead, std::size_t begun, bool everything);
  void forget_orders(worker_id id);
  void give_up();
  void leave_if_idle();
  void report_if_gone();

  tables known_;
  giving giving_;
  stealing stealing_;
  pool_phase phase_ = pool_phase::open;
};

}  // namespace coterie::detail
