// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "call_events.hpp"
#include "event_loop.hpp"
#include "evidence.hpp"
#include "simulated_call.hpp"
#include "simulated_machine.hpp"
#include "story.hpp"

namespace simulation {

/// What has been seen of a worker.
struct worker_record {
  bool shares_memory = false;
  bool is_ready = false;
  bool is_over = false;
  bool is_killed = false;  // by its parent
  bool in_item = false;
  std::pair<std::uint64_t, std::size_t> last_begun{};  // call and index
  std::vector<item_record*> unsent{};                  // items that are over
  event_loop::time_point heard_of{};                   // when its last result came
  evidence shown{};
  std::size_t frames_sent = 0;  // over a socket
  std::size_t frames_taken = 0;
  // If it has been hostile:
  bool was_hostile = false;
  unsigned spoils = nothing;  // of the items that it holds
};

/// What happens to the items of all calls, and what must hold: see `docs/reliability.md`.
///
/// What happens to the items of a worker follows from what it has shown (`evidence`), of a hostile
/// one too. Of all else, what a hostile worker can spoil is not checked for items that it holds,
/// from then on.
class rules final : public call_events, public machine_events {
 public:
  /// Both outlive it.
  rules(event_loop& loop, story& tells) : loop_{loop}, story_{tells} {}

  /// The first rule that was broken; empty: none.
  [[nodiscard]] const std::string& fault() const noexcept { return fault_; }

  [[nodiscard]] std::map<std::uint64_t, simulated_call>& calls() noexcept { return calls_; }
  [[nodiscard]] simulated_call& call(std::uint64_t id) { return calls_.at(id); }
  [[nodiscard]] bool all_ended() const;
  [[nodiscard]] std::size_t worker_count() const noexcept { return workers_.size(); }
  [[nodiscard]] std::size_t deaths() const noexcept { return deaths_; }
  /// How many workers at most may count as crashed.
  [[nodiscard]] std::size_t crashes() const;

  // What follows of what is told.
  std::function<void(std::uint64_t call)> when_unread;  // the first results of a stream
  std::function<void()> when_program_runs;
  std::function<void(pid_t)> when_stuck;  // a worker, perhaps for ever

  // What happens beside.
  void pool_is_terminated() noexcept { terminated_ = true; }
  void note_progress() { last_progress_ = loop_.now(); }

  // At the times that they say.
  void check_turn();              // after each turn of the parent
  void check_quiet(bool served);  // after each step; `served`: a worker is ready
  void check_times();             // the same

  // call_events
  void item_begins(const order& what, const simulated_worker& in) override;
  void item_over(const order& what, const simulated_worker& in) override;
  void item_returned(std::uint64_t call, std::size_t index, bool right) override;
  void item_failed(std::uint64_t call, std::size_t index, const std::exception_ptr& why) override;
  void taker_throws(std::uint64_t call) override;
  void call_ended(std::uint64_t call, const std::exception_ptr& why) override;
  void program_runs() override { when_program_runs(); }
  void broken(std::string what) override;

  // machine_events
  void worker_started(const simulated_worker& worker) override;
  void worker_over(const simulated_worker& worker) override;
  void next_chunk(const simulated_worker& worker) override;
  void frame_sent(pid_t worker) override { ++workers_.at(worker).frames_sent; }
  void was_hostile(const simulated_worker& worker, const hostile_act& did) override;
  void killed_by_parent(const simulated_worker& worker) override;
  void chunk_sent(pid_t worker, const coterie::detail::message::run& what) override;
  void frame_taken(pid_t worker, const coterie::detail::frame_header& what) override;
  void rest_revoked(pid_t worker, const coterie::detail::claimed_items& seen) override;
  void refused(pid_t worker) override;
  void believed_nonetheless(pid_t worker) override;
  void given_up(pid_t worker, std::uint64_t said) override;

 private:
  // What takes a moment longer than it should.
  static constexpr std::chrono::milliseconds some_time{200};

  evidence& shown_by(pid_t worker);
  template <class Action>
  void for_each_wanted(const item_range& items, Action action);
  void set_free(const item_range& items, unsigned hidden);
  void lose(item_record& item, pid_t with);
  std::size_t lose_unreached(const item_range& front, bool begun, pid_t with);
  item_record* outcome_of(std::uint64_t call, std::size_t index);
  [[nodiscard]] bool can_spoil(const item_record& item, unsigned what) const;
  [[nodiscard]] bool waits_for_stuck(const simulated_call& call) const;
  void check_crash(const item_record& item, const std::exception_ptr& why);
  void check_breach(const item_record& item, const std::string& text);
  void check_failure(const simulated_call& call, const item_record& item,
                     const std::exception_ptr& why);
  void check_end(const simulated_call& call, std::uint64_t id, const std::exception_ptr& why);
  template <class... Part>
  void tell(const Part&... parts) {
    story_.tell(parts...);
  }

  event_loop& loop_;
  story& story_;
  std::string fault_;
  std::map<std::uint64_t, simulated_call> calls_;
  std::map<pid_t, worker_record> workers_;
  // What must have happened by then.
  struct untold {
    const item_record* item;
    pid_t by;
  };
  std::multimap<event_loop::time_point, untold> untold_;  // a result is told
  std::multimap<event_loop::time_point, pid_t> unseen_;   // a worker is over
  std::vector<pid_t> heard_;                              // in this turn: a worker
  std::vector<const item_record*> due_;                   // in this turn: an outcome
  std::size_t in_item_ = 0;                               // workers
  std::size_t must_end_ = 0;                              // calls, in this turn
  std::size_t deaths_ = 0;
  bool terminated_ = false;
  event_loop::time_point last_progress_{};
};

}  // namespace simulation
