// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "schedule/scheduler.hpp"

/// A world for the scheduler to decide in, without processes: workers, chunks and jobs as plain
/// values. It carries out every action, offers every event that could come next, and throws
/// `violation` when the scheduler breaks one of its promises. A world is copied to try another
/// order.
namespace scheduler_model {

using namespace coterie::detail;  // NOLINT: the model speaks the scheduler's language

struct violation : std::logic_error {
  using std::logic_error::logic_error;
};

inline void require(bool holds, const char* promise) {
  if (!holds) throw violation{promise};
}

struct job_plan {
  std::size_t items = 1;
  job_limits limits{.chunksize = 1, .window = 0, .held_until_consumed = false};
  bool looks_ahead = true;  // the last items come with the news of the end
  std::size_t fails_at = static_cast<std::size_t>(-1);  // the input throws instead of this item
  bool ends_at_first_failure = false;
};

/// What happens, and how often at most what need not happen.
struct plan {
  const char* name = "";
  int processes = 1;
  std::vector<job_plan> jobs;
  bool late_jobs = false;  // all but the first job come at any time
  bool batches = false;    // several messages of a worker may come before anything is done
  bool revocable =
      false;  // workers go on before they are heard, and what they have not begun comes back
  bool late_frames = false;  // what a worker has sent before it was killed still arrives
  bool any_begun =
      false;  // a dead worker may have begun nothing, one item, a few, or more than it had
  int crashes = 0;
  int failed_starts = 0;
  int killed_starts = 0;           // by others
  std::size_t restart_limit = 64;  // so many of them are no reason to give up
  int slow_starts = 0;
  int cancellations = 0;
  int kills = 0;
  int lies = 0;
  int refusals = 0;  // of a worker from which something is revoked
  int closes = 0;
  int terminations = 0;
  std::chrono::nanoseconds start_timeout{};
  std::chrono::nanoseconds busy = std::chrono::microseconds{10};  // what a chunk takes
};

enum class happening : std::uint8_t {
  add,
  spawn,
  spawn_fails,
  ready,
  work,
  frames,
  skip,
  consume,
  leave,
  retry,  // come by themselves
  crash,
  kill_start,
  timeout,
  cancel,
  kill,
  lie,
  refuse,
  close,
  terminate  // need not happen
};

struct event {
  happening what;
  int subject = 0;  // rank or job
  int count = 0;    // frames, or items that may have begun; -1: all that it held
};

inline bool comes_by_itself(const event& each) { return each.what < happening::crash; }

inline std::string text(const event& each) {
  static constexpr const char* names[] = {
      "add",     "spawn", "spawn_fails", "ready", "work",       "frames",  "skip",
      "consume", "leave", "retry",       "crash", "kill_start", "timeout", "cancel",
      "kill",    "lie",   "refuse",      "close", "terminate"};
  return std::string{names[static_cast<std::size_t>(each.what)]} + " " +
         std::to_string(each.subject) + (each.count != 0 ? " x" + std::to_string(each.count) : "") +
         "; ";
}

class world {
 public:
  explicit world(const plan& given);

  /// All that could happen now.
  [[nodiscard]] std::vector<event> possible() const;
  void happen(const event& what);
  /// To be asked when nothing is possible that comes by itself: nothing may be left undone.
  void check_rest() const;

  [[nodiscard]] std::size_t steps() const noexcept { return steps_; }

 private:
  enum class life : std::uint8_t { none, asked, starting, serving, leaving, dying };
  enum class fate : std::uint8_t { in_input, out, finished };
  enum class end : std::uint8_t { unborn, running, finished, dropped };

  struct worker {
    worker_id id = 0;
    life now = life::none;
    bool was_ready = false;
    bool mute = false;  // nothing it says is listened to any more
    bool late = false;  // it has said `ready` after having been killed
    std::vector<chunk_id> held;
    // How far it really is, if chunks can be revoked.
    std::size_t place = 0;    // of the chunk that it is at
    bool begun = false;       // that chunk
    std::size_t claimed = 0;  // of its items
    std::size_t run = 0;
    std::size_t unheard = 0;  // frames
    std::size_t times_taken = 0;
    bool refused = false;  // to give back what it has, since it was given something
    scheduler::time_point asked_at{};
  };
  struct chunk {
    std::size_t job = 0;
    std::size_t first = 0;
    std::size_t count = 0;
    std::size_t done = 0;
    std::size_t done_before = 0;  // when it was sent last
    int losses = 0;               // workers that died before they began any of it, in a row
  };
  struct job {
    end now = end::unborn;
    bool input_ended = false;
    bool may_still_finish = false;  // dropped while `finish` may have been decided already
    std::size_t cut = 0;
    std::size_t finished = 0;
    std::size_t unread = 0;  // finished, held, and not consumed
    std::vector<fate> items;
  };

  static job_id id_of(std::size_t index) { return index + 1; }
  static std::size_t index_of(job_id id) { return static_cast<std::size_t>(id - 1); }
  worker& at(int rank) { return workers_.at(static_cast<std::size_t>(rank)); }
  [[nodiscard]] const worker& at(int rank) const {
    return workers_.at(static_cast<std::size_t>(rank));
  }
  [[nodiscard]] int rank_of(worker_id id) const {
    const auto found = std::ranges::find(workers_, id, &worker::id);
    require(found != workers_.end(), "what is wanted is wanted of a worker that is there");
    return static_cast<int>(found - workers_.begin());
  }
  [[nodiscard]] bool wanted(const worker& one) const {
    const auto* const found = scheduler_.find(one.id);
    return found != nullptr && found->is(worker_stage::planned);
  }
  [[nodiscard]] bool running(std::size_t index) const { return jobs_[index].now == end::running; }
  [[nodiscard]] bool any_running() const {
    return std::ranges::any_of(jobs_, [](const job& each) { return each.now == end::running; });
  }
  [[nodiscard]] bool nobody_alive() const {
    return std::ranges::all_of(workers_, [](const worker& each) { return each.now == life::none; });
  }
  [[nodiscard]] bool gave_up() const {
    return failed_in_a_row_ >= restart_policy::attempts || killed_in_a_row_ > plan_->restart_limit;
  }
  // A chunk of the size that was given is one worker's.
  [[nodiscard]] std::size_t unit_of(std::size_t index) const {
    return std::max<std::size_t>(plan_->jobs[index].limits.chunksize, 1);
  }
  [[nodiscard]] std::size_t outstanding(std::size_t index) const;
  [[nodiscard]] bool can_give(std::size_t index) const;
  [[nodiscard]] std::size_t chunks_under_way(std::size_t index) const;
  [[nodiscard]] bool could_speak(const worker& one) const;
  [[nodiscard]] bool could_work(const worker& one) const;
  [[nodiscard]] std::size_t frames_of(const worker& one) const;
  [[nodiscard]] std::size_t could_come_back(const worker& one, std::size_t unit) const;
  [[nodiscard]] std::vector<int> possible_begun(const worker& one) const;

  void add(std::size_t index);
  void work(worker& one);
  void take_frame(int rank);
  void finish_items(std::size_t index, std::size_t first, std::size_t count);
  [[nodiscard]] std::size_t lost_of(chunk& front, std::size_t begun) const;
  void lose(int rank, worker_exit how = {});
  void lie(int rank);
  void drop(std::size_t index);
  void expect_kill(int rank);
  void settle();
  void forget_unwanted();
  void check_state() const;
  void check_turn(int rank, std::size_t index) const;

  void perform(const action::spawn& what);
  void perform(const action::cut& what);
  void perform(const action::resend& what);
  void perform(const action::revoke& what);
  void revoke(worker& from, const action::revoke& what);
  void perform(const action::crash& what);
  void perform(const action::finish& what);
  void perform(const action::give_up& what);
  void perform(const action::kill& what);
  void perform(const action::stop& what);
  void perform(const action::all_gone& what);

  const plan* plan_;
  plan left_;  // of what need not happen
  scheduler scheduler_;
  scheduler::time_point now_{};
  std::vector<worker> workers_;
  std::vector<job> jobs_;
  std::map<chunk_id, chunk> chunks_;  // that workers hold
  // Chunks, or parts of some, whose worker died before it could have begun them, or that were
  // revoked.
  std::vector<chunk> orphans_;
  std::vector<int> to_kill_;
  std::vector<item_range> to_crash_;
  bool refuse_next_ = false;  // take-back
  bool has_waited_ = false;   // somebody, for something
  // Starts that failed since a worker was last ready, those that others have ended, and of the
  // former the ones since the count may have begun anew.
  int failed_in_a_row_ = 0;
  std::size_t killed_in_a_row_ = 0;
  int failed_lately_ = 0;
  bool closed_ = false;
  bool terminated_ = false;
  int all_gone_ = 0;
  std::size_t steps_ = 0;
};

}  // namespace scheduler_model

#include "scheduler_model_events.hpp"
#include "scheduler_model_rules.hpp"
