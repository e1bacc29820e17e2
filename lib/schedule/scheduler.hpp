// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <unordered_map>
#include <variant>
#include <vector>

#include "frames/identifiers.hpp"
#include "schedule/chunk_sizer.hpp"

namespace coterie::detail {

struct scheduler_settings {
  int processes = 1;
  std::chrono::nanoseconds start_timeout{};  // zero: no limit
};

struct job_limits {
  std::size_t chunksize = 0;  // items; 0: automatic
  std::size_t window = 0;     // items taken from the input and not yet released; 0: automatic
  bool held_until_consumed = false;  // released by `consumed`, not by being finished
};

/// What the scheduler wants done, in the order it wants it.
namespace action {

struct spawn {  // start a process for `rank`, then say `started` (and `exited`, should it fail)
  int rank;
};
struct cut {  // take up to `most` items as `chunk`, send them to `rank`, and say `cut_done`
  int rank;
  job_id job;
  chunk_id chunk;
  std::size_t most;
};
struct resend {  // send a chunk that was cut before to `rank`, which goes on where it was left
  int rank;
  chunk_id chunk;
};
struct crash {  // the next `count` items of `chunk` died with `rank`; those behind come again
  int rank;
  chunk_id chunk;
  std::size_t count;
};
struct finish {  // every item of `job` is accounted for
  job_id job;
};
struct give_up {  // no worker can be started: all jobs fail
};
struct kill {  // end the process of `rank` at once
  int rank;
};
struct stop {  // ask `rank` to finish what it holds and leave
  int rank;
};
struct all_gone {  // closed, and the last worker has left
};

}  // namespace action

using scheduler_action =
    std::variant<action::spawn, action::cut, action::resend, action::crash, action::finish,
                 action::give_up, action::kill, action::stop, action::all_gone>;

/// Decides which worker gets which items, and when workers start and leave.
///
/// Pure: it does no input or output, reads no clock and knows no types. Events go in through the
/// member functions; `next` hands out what is to be done, one action at a time, until there is
/// nothing more. A worker is named by its rank, a slot that processes fill one after another; events
/// of a process that no longer fills its slot must not be passed in.
///
/// Rules it keeps:
/// - Free workers first, and the job with the fewest chunks under way first, so that a single call
///   does not wait behind a million-item map. Among equals, who was served longest ago; whoever has
///   just come goes before the one that was served last.
/// - A worker holds chunks of one job at a time. What it runs is therefore always of the job that
///   a cancellation kills it for, even when the news of its progress is still on its way.
/// - A worker that runs a short chunk holds a second one, so that it never idles while the parent
///   hears of its results; one that runs a long one does not, and is free for others after it,
///   unless none have come for a while.
/// - A dead worker costs the items that it may have begun; what it held behind them is sent again.
///
/// A chunk here is what one message brings. Where the size of chunks was given, it may be several of them.
class scheduler {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Starts in a row that may fail, with none succeeding, before it gives up.
  static constexpr int start_attempts = 3;
  /// A second chunk follows one that is expected to end within this time. The gap of 20 microseconds
  /// between two chunks is less than 2% of a longer one, and whoever waits for a free worker waits
  /// for all that it holds.
  static constexpr std::chrono::nanoseconds soon = std::chrono::milliseconds{1};
  /// The same while nobody seems to wait: each worker has been given so many chunks since a job came.
  static constexpr std::chrono::nanoseconds soon_when_quiet = std::chrono::milliseconds{4};
  static constexpr std::size_t quiet_after = 256;
  static constexpr std::size_t most_held = 2;
  static constexpr std::size_t smallest_window = 256;
  static constexpr std::size_t largest_window_each = 4096;  // for each worker
  /// First wait before starting workers is tried again while others still serve; doubles.
  static constexpr std::chrono::nanoseconds retry_after = std::chrono::seconds{1};
  static constexpr std::chrono::nanoseconds longest_retry = std::chrono::seconds{32};

  explicit scheduler(scheduler_settings settings);

  // Events: jobs.
  void add_job(job_id job, job_limits limits);
  /// Forgets a job that completed early: what is queued is dropped; what runs, runs on for nobody,
  /// or, with `kill`, is ended together with its worker.
  void drop_job(job_id job, bool kill);
  /// The answer to `action::cut`; no items and `exhausted` means that the input had already ended.
  void cut_done(chunk_id chunk, std::size_t count, bool exhausted);
  /// `count` results of a job whose items are held until consumed have left the pool.
  void consumed(job_id job, std::size_t count);

  // Events: workers.
  void started(int rank, time_point now);
  void ready(int rank);
  /// The process of `rank` is gone. Of the chunk that it ran, the next `begun` items may have begun, and
  /// are lost with it; all that it held behind them is sent again.
  void exited(int rank, time_point now, std::size_t begun = 1);
  /// `count` more items of the chunk at the head of `rank` are finished. False: it cannot be.
  [[nodiscard]] bool items_done(int rank, chunk_id chunk, std::size_t count);
  /// The worker is done with `chunk`, having been busy for `busy`. False: it cannot be.
  [[nodiscard]] bool chunk_done(int rank, chunk_id chunk, std::chrono::nanoseconds busy);
  /// The worker broke the rules: it is killed, and loses what it holds.
  void condemn(int rank);

  // Events: the pool.
  void close();
  /// Forgets every job and kills every worker.
  void terminate();
  void tick(time_point now);

  /// Whether the process asked for by `action::spawn` is still wanted.
  [[nodiscard]] bool wants(int rank) const;

  /// The next thing to do, if any.
  [[nodiscard]] std::optional<scheduler_action> next();

  /// When `tick` wants to be called, if ever.
  [[nodiscard]] std::optional<time_point> next_deadline() const;
  [[nodiscard]] bool has_job(job_id job) const { return jobs_.contains(job); }
  /// Whether the worker was given chunks that it has not ended.
  [[nodiscard]] bool holds_work(int rank) const { return current_chunk(rank).has_value(); }
  /// The chunk that the worker runs, or is about to.
  [[nodiscard]] std::optional<chunk_id> current_chunk(int rank) const;
  [[nodiscard]] int workers_ready() const noexcept { return ready_count_; }
  [[nodiscard]] bool gone() const noexcept { return gone_; }

 private:
  enum class slot_state : std::uint8_t { empty, spawning, starting, ready, doomed, stopping };

  struct slot {
    slot_state state = slot_state::empty;
    bool was_ready = false;
    bool in_idle = false;
    bool in_hungry = false;
    std::deque<chunk_id> held;            // the front is what it runs
    job_id job = 0;                       // whose chunks these are
    std::chrono::nanoseconds expected{};  // how long they will take, as far as that is known
    std::optional<time_point> start_deadline;
  };

  struct chunk_state {
    job_id job = 0;
    int rank = 0;
    std::size_t count = 0;
    std::size_t done = 0;         // finished, or lost
    std::size_t done_before = 0;  // when it was sent to the worker that holds it
    std::chrono::nanoseconds expected{};
  };

  // Fewest chunks under way first, then who was served longest ago.
  struct place_in_turn {
    std::size_t chunks;
    std::uint64_t turn;
    job_id job;
    auto operator<=>(const place_in_turn&) const = default;
  };

  struct job_state {
    job_state(job_limits given, int workers) : limits{given}, sizer{given.chunksize, workers} {}
    job_limits limits;
    chunk_sizer sizer;
    std::size_t taken = 0;       // items cut and not yet released
    std::size_t chunks = 0;      // chunks held by workers
    std::size_t unfinished = 0;  // items cut and not finished
    std::size_t measured = 0;    // chunks whose time is known
    bool exhausted = false;
    bool cutting = false;                // a cut action is out and not answered
    std::optional<place_in_turn> place;  // where it is in `runnable_`
    std::uint64_t turn = 0;
    std::deque<chunk_id> unsent;  // cut, then orphaned by a dead worker before it began them
  };

  slot& at(int rank) { return slots_.at(static_cast<std::size_t>(rank)); }
  [[nodiscard]] std::size_t window_of(const job_state& job) const;
  [[nodiscard]] bool can_give(const job_state& job) const;
  [[nodiscard]] bool quiet() const;
  [[nodiscard]] bool has_room(const slot& which) const;
  void refresh(job_id id, job_state& job);
  void offer(int rank);
  void put_down(slot& holder, std::deque<chunk_id>::iterator which);
  void finish_items(job_id id, std::size_t count);
  void finish_if_done(job_id id);
  void erase_job(job_id id);
  void lose_chunks(slot& dead, int rank, std::size_t begun);
  void doom(int rank);
  void empty_slot(slot& which);
  void fill_empty_slots();
  void start_failed(time_point now);
  void leave_if_idle();
  void report_if_gone();
  std::optional<scheduler_action> assign();
  scheduler_action give(int rank, job_id id);
  [[nodiscard]] std::size_t next_size(const job_state& job) const;

  scheduler_settings settings_;
  std::vector<slot> slots_;
  std::unordered_map<job_id, job_state> jobs_;
  std::unordered_map<chunk_id, chunk_state> chunks_;
  std::set<place_in_turn> runnable_;
  std::deque<int> idle_;    // ready ranks that hold nothing
  std::deque<int> hungry_;  // ready ranks that hold something and may have more
  std::deque<scheduler_action> actions_;
  std::uint64_t turns_ = 2;
  std::size_t given_in_quiet_ = 0;  // chunks since a job came
  chunk_id last_chunk_ = 0;
  int ready_count_ = 0;
  int alive_count_ = 0;     // slots that are not empty
  int starting_count_ = 0;  // slots with a start deadline to watch
  int failed_starts_ = 0;
  std::optional<time_point> retry_at_;
  std::chrono::nanoseconds retry_delay_ = retry_after;
  bool closing_ = false;
  bool terminated_ = false;
  bool gone_ = false;
};

}  // namespace coterie::detail
