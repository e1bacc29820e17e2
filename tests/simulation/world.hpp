// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>

#include <coterie/detail/home_process.hpp>

#include "choices.hpp"
#include "event_loop.hpp"
#include "plan.hpp"
#include "pool/dispatcher.hpp"
#include "rules.hpp"
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
class world final {
 public:
  world(std::uint64_t seed, std::FILE* story_out);
  world(const world&) = delete;
  world& operator=(const world&) = delete;
  ~world();

  /// Lets everything happen. Throws `std::runtime_error` where a rule was broken.
  summary run();

 private:
  void tell_plan();
  void make_pool();

  // What the program does.
  void begin_calls();
  void make_call(std::uint64_t id);
  void read_later(std::uint64_t id);
  void read_stream(std::uint64_t id);
  void end_call(std::uint64_t id);
  void close_pool();
  void act_inside();

  // How time passes.
  [[nodiscard]] bool step();
  [[nodiscard]] bool advance();
  summary finished();
  void disturb();
  void kill_later(pid_t worker);
  void check_end();
  [[nodiscard]] bool all_done() const;
  template <class... Part>
  void tell(const Part&... parts) {
    story_.tell(parts...);
  }

  choices chance_;
  choices mischief_;
  std::shared_ptr<event_loop> loop_;
  story story_;
  rules rules_;
  world_plan plan_;
  coterie::detail::home_process home_;
  simulated_machine* machine_ = nullptr;
  std::unique_ptr<coterie::detail::dispatcher> pool_;
  bool closed_ = false;
  summary result_;
};

}  // namespace simulation
