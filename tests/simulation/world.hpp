// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <coterie/detail/home_process.hpp>

#include "choices.hpp"
#include "event_loop.hpp"
#include "pool/dispatcher.hpp"
#include "simulated_call.hpp"
#include "simulated_machine.hpp"
#include "story.hpp"

namespace simulation {

/// What a seed has come to.
struct summary {
  nanoseconds time{};  // made up
  std::size_t items = 0;
  std::size_t workers = 0;
  std::size_t deaths = 0;
  std::size_t steps = 0;
  std::size_t lines = 0;
  std::uint64_t hash = 0;  // of the story
};

/// A whole pool, its workers and a program that uses it, in one thread: the real scheduler,
/// dispatcher, jobs, host, links and worker loops. The event loop, the processes, the clock and the
/// program are made up, by chance from a seed.
class world final : private call_events {
 public:
  world(std::uint64_t seed, std::FILE* story_out);
  world(const world&) = delete;
  world& operator=(const world&) = delete;
  ~world();

  /// Lets everything happen. Throws `std::runtime_error` where a rule was broken.
  summary run();

 private:
  // What the program does.
  void plan_everything();
  [[nodiscard]] call_plan plan_call(std::uint64_t id);
  void make_call(std::uint64_t id);
  void read_stream(std::uint64_t id);
  void end_call(std::uint64_t id);
  void close_pool();

  // call_events
  void item_begins(const order& what, const simulated_worker& in) override;
  void item_over(const order& what) override;
  void item_returned(std::uint64_t call, std::size_t index) override;
  void item_failed(std::uint64_t call, std::size_t index, const std::exception_ptr& why) override;
  void call_ended(std::uint64_t call, const std::exception_ptr& why) override;
  void broken(std::string what) override;

  // How time passes.
  [[nodiscard]] bool advance();
  summary finished();
  void disturb();

  // Rules.
  item_record* outcome_of(std::uint64_t call, std::size_t index);
  void check_crash(item_record& item, const std::exception_ptr& why);
  void check_quiet();
  void check_hidden();
  void check_end();
  void note_progress() { last_progress_ = loop_->now(); }
  [[nodiscard]] bool all_done() const;
  template <class... Part>
  void tell(const Part&... parts) {
    story_.tell(loop_->since_start(), parts...);
  }

  choices chance_;
  story story_;
  std::shared_ptr<event_loop> loop_;
  simulated_machine* machine_ = nullptr;
  coterie::detail::home_process home_;
  std::unique_ptr<coterie::detail::dispatcher> pool_;
  std::map<std::uint64_t, simulated_call> calls_;
  std::map<pid_t, std::size_t> lost_with_;  // items, by the worker that died
  std::map<pid_t, std::pair<std::uint64_t, std::size_t>> last_begun_;
  std::map<pid_t, std::vector<item_record*>> unsent_;  // items that are over
  std::map<pid_t, event_loop::time_point> heard_of_;   // when a result of the worker came last
  std::multimap<event_loop::time_point, item_record*>
      untold_;                               // results, and when they must be told
  std::size_t kill_in_ = 0;                  // steps: one of so many kills a worker from outside
  std::size_t leaves_at_ = ~std::size_t{0};  // the step at which the pool is destroyed
  bool closed_ = false;
  bool terminated_ = false;
  event_loop::time_point last_progress_{};
  std::set<pid_t> in_item_;        // workers that run one
  std::set<pid_t> shares_memory_;  // workers
  summary result_;
  std::string fault_;  // the first rule that was broken
};

}  // namespace simulation
