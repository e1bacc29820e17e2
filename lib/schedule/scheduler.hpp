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
#include "schedule/rank_queue.hpp"
#include "schedule/restart_policy.hpp"

namespace coterie::detail {

struct scheduler_settings {
  int processes = 1;
  std::chrono::nanoseconds start_timeout{};  // zero: no limit
  restart_limits restarts{};
};

/// How a worker has ended, as far as that matters for what it held and for the start of the next.
struct worker_exit {
  static constexpr std::size_t everything = static_cast<std::size_t>(-1);

  /// Items of the chunk that it ran which may have begun and were not heard of. `everything`: all that it
  /// held may have begun.
  std::size_t begun = 1;
  /// If it was never ready: why.
  start_failure start = start_failure::of_program;
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
struct take_back {  // have `rank` stop where it is, and say `taken_back` if so many items come back
  int rank;
  std::size_t least;
  std::size_t unit;    // so many are one worker's as a whole
  bool spares_next;    // the unit that is about to be begun stays
  bool only_if_cheap;  // to be given to another worker
};
struct
    split {  // the items of `chunk` from the one with the index `at` on are the chunk `rest` from now on
  chunk_id chunk;
  std::size_t at;
  chunk_id rest;
};
struct crash {  // the next `count` items of `chunk` died with `rank`
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

using scheduler_action = std::variant<action::spawn, action::cut, action::resend, action::take_back,
                                      action::split, action::crash, action::finish, action::give_up,
                                      action::kill, action::stop, action::all_gone>;

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
/// - A worker that runs a chunk holds a second one, so that it never idles while the parent hears of its
///   results. If it cannot be asked to give that back, it does so only while chunks are short.
/// - What a worker has not begun is taken back when another has nothing to do, and when a job that has
///   fewer chunks under way would have to wait for it.
/// - A dead worker costs the items that it may have begun; what it held behind them is sent again.
///
/// A chunk here is what one message brings. Where the size of chunks was given, it may be several of them.
class scheduler {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Where chunks cannot be taken back, a second one follows one that is expected to end within this time.
  /// Whoever waits for a free worker waits for all that it holds.
  static constexpr std::chrono::nanoseconds soon = std::chrono::milliseconds{1};
  static constexpr std::size_t most_held = 2;
  /// So often what a worker has not begun is taken back while it runs one chunk. It has to go through
  /// all that it was sent.
  static constexpr std::size_t most_taken = 4;
  /// Items that take less are left where they are: it takes as long until another has them. With many workers
  /// the limit is higher, because the parent sees to all of them. For each worker.
  static constexpr std::chrono::nanoseconds worth_sharing = std::chrono::microseconds{200};
  static constexpr std::chrono::nanoseconds worth_sharing_each = std::chrono::microseconds{10};
  /// What was left where it is, as too little or as costly to move, is taken back all the same from a worker that
  /// does not get on: after this, and twice the time that it was expected to take for what it runs.
  static constexpr std::chrono::nanoseconds patience = std::chrono::milliseconds{1};
  static constexpr std::size_t smallest_window = 256;
  static constexpr std::size_t largest_window_each = 4096;  // for each worker
  /// So many workers in a row may end before they have begun a chunk; then its next item counts as begun. A
  /// chunk whose arrival alone ends every worker would otherwise be sent for ever.
  static constexpr std::size_t most_losses = 16;
  explicit scheduler(scheduler_settings settings);

  // Events: jobs.
  /// Returns the limits that hold: no chunk and no window is larger than `most_items`, whatever was asked for.
  /// So no cut asks for more.
  job_limits add_job(job_id job, job_limits limits);
  /// Forgets a job that completed early: what is queued is dropped, what workers hold and have not begun is taken
  /// back; what runs, runs on for nobody, or, with `kill`, is ended together with its worker.
  void drop_job(job_id job, bool kill);
  /// The answer to `action::cut`; no items and `exhausted` means that the input had already ended.
  void cut_done(chunk_id chunk, std::size_t count, bool exhausted);
  /// `count` results of a job whose items are held until consumed have left the pool.
  void consumed(job_id job, std::size_t count);

  // Events: workers.
  void started(int rank, time_point now);
  /// `takes_back`: what the worker holds can be taken back.
  void ready(int rank, bool takes_back = false);
  /// The process of `rank` is gone, or could not be made. Items that may have begun are lost with it; all
  /// that it held behind them is sent again.
  void exited(int rank, time_point now, worker_exit how = {});
  /// `count` more items of the chunk at the head of `rank` are finished. False: it cannot be.
  [[nodiscard]] bool items_done(int rank, chunk_id chunk, std::size_t count);
  /// The worker is done with `chunk`, having been busy for `busy`. False: it cannot be.
  [[nodiscard]] bool chunk_done(int rank, chunk_id chunk, std::chrono::nanoseconds busy);
  /// The answer to `action::take_back`, unless there was none: of what it holds the worker keeps the chunk
  /// `begun` up to the item with the index `kept`, and what it was given before that; 0: nothing.
  void taken_back(int rank, chunk_id begun, std::size_t kept);
  /// The worker broke the rules: it is killed, and loses what it holds.
  void condemn(int rank);

  // Events: the pool.
  void close();
  /// Forgets every job and kills every worker.
  void terminate();
  void tick(time_point now);
  /// To be told when `next` has nothing more, if `wants_time` says so.
  void rest(time_point now);
  [[nodiscard]] bool wants_time() const noexcept { return !slow_givers_.empty(); }

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
  // So many slots are looked at for one that can be given more, or asked; the next event looks further.
  static constexpr std::size_t looks = 8;

  enum class slot_state : std::uint8_t { empty, spawning, starting, ready, doomed, stopping };

  struct slot {
    slot_state state = slot_state::empty;
    bool was_ready = false;
    bool takes_back = false;
    bool makes_way = false;               // what it had not begun has been taken back
    bool is_slow = false;                 // it has been waited for
    std::optional<time_point> slow_at;    // while it is
    std::size_t times_taken = 0;          // since it ended a chunk
    std::deque<chunk_id> held;            // the front is what it runs
    job_id job = 0;                       // whose chunks these are
    std::chrono::nanoseconds expected{};  // how long they will take, as far as that is known
    std::optional<time_point> start_deadline;
  };

  struct chunk_state {
    job_id job = 0;
    int rank = 0;
    std::size_t first = 0;  // its place in the input
    std::size_t count = 0;
    std::size_t done = 0;         // finished, or lost
    std::size_t done_before = 0;  // when it was sent to the worker that holds it
    bool shortened = false;       // since then
    std::size_t losses = 0;       // workers that ended before they had begun it
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
    std::size_t cut = 0;         // items taken from the input
    std::size_t taken = 0;       // items cut and not yet released
    std::size_t chunks = 0;      // chunks held by workers
    std::size_t unfinished = 0;  // items cut and not finished
    std::size_t measured = 0;    // chunks whose time is known
    bool exhausted = false;
    bool cutting = false;                // a cut action is out and not answered
    std::optional<place_in_turn> place;  // where it is in `runnable_`
    std::uint64_t turn = 0;
    // Cut, then taken back, or orphaned by a dead worker; in the order of the input.
    std::deque<chunk_id> unsent;
  };

  slot& at(int rank) { return slots_.at(static_cast<std::size_t>(rank)); }
  [[nodiscard]] std::size_t window_of(const job_state& job) const;
  [[nodiscard]] bool can_give(const job_state& job) const;
  [[nodiscard]] bool has_room(const slot& which) const;
  void refresh(job_id id, job_state& job);
  void offer(int rank);
  void put_down(slot& holder, std::deque<chunk_id>::iterator which);
  void finish_items(job_id id, std::size_t count);
  void finish_if_done(job_id id);
  void erase_job(job_id id);
  void lose_chunks(slot& dead, int rank, std::size_t begun);
  std::size_t lose_items(chunk_id id, int rank, std::size_t begun);
  void doom(int rank);
  void forget_orders(int rank);
  void empty_slot(slot& which);
  void fill_empty_slots();
  void start_failed(start_failure why, time_point now);
  void leave_if_idle();
  void report_if_gone();
  bool assign();
  bool give_to_hungry();
  void give(int rank, job_id id);
  [[nodiscard]] std::size_t next_size(const job_state& job) const;
  bool ask_back();
  void wait_for(int rank);
  void give_up_waiting(time_point now);
  [[nodiscard]] bool nobody_idle();
  [[nodiscard]] bool enough_make_way() const;
  std::deque<chunk_id> shorten(slot& holder, chunk_id begun, std::size_t kept);
  chunk_id split(chunk_id chunk, std::size_t at);
  void put_back(job_state& job, const std::deque<chunk_id>& chunks);
  void resend(int rank, job_state& job);
  void set_makes_way(slot& which, bool value);
  [[nodiscard]] std::size_t worth_sharing_of(const job_state& job) const;
  [[nodiscard]] std::size_t may_come_back(const slot& holder, const job_state& job) const;

  scheduler_settings settings_;
  std::vector<slot> slots_;
  std::unordered_map<job_id, job_state> jobs_;
  std::unordered_map<chunk_id, chunk_state> chunks_;
  std::set<place_in_turn> runnable_;
  // Who was so when it was added: that is looked at again when its turn comes.
  rank_queue idle_;         // ready, and holds nothing
  rank_queue hungry_;       // ready, holds something and may have more
  rank_queue givers_;       // ready, and has something which it may have to give back
  rank_queue slow_givers_;  // has kept something while others had nothing
  std::deque<scheduler_action> actions_;
  std::uint64_t turns_ = 2;
  std::size_t making_way_ = 0;  // slots that do
  chunk_id last_chunk_ = 0;
  int ready_count_ = 0;
  int alive_count_ = 0;     // slots that are not empty
  int starting_count_ = 0;  // slots with a start deadline to watch
  restart_policy restarts_;
  bool closing_ = false;
  bool terminated_ = false;
  bool gone_ = false;
};

}  // namespace coterie::detail
