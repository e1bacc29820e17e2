// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "choices.hpp"
#include "event_loop.hpp"
#include "fiber.hpp"
#include "hostility.hpp"
#include "system/unique_descriptor.hpp"
#include "worker/current_worker.hpp"
#include "worker/worker_runtime.hpp"

namespace simulation {

/// How often what goes wrong.
struct worker_faults {
  std::size_t crash_in = 0;        // operations: one of so many ends the worker
  std::size_t stuck_start_in = 0;  // starts: one of so many takes for ever
  std::size_t hostile_in = 0;      // operations: at one of so many it does what no worker does
};

/// A worker process that is none: the real worker's loop, on a stack of its own. At each operation
/// it may be stopped, so that others go on, or ended.
class simulated_worker final : public coterie::detail::worker_runtime {
 public:
  /// `mischief` is the chance of hostile workers. Both outlive it.
  simulated_worker(event_loop& loop, choices& chance, choices& mischief, worker_faults faults,
                   pid_t pid, int rank, coterie::detail::unique_descriptor socket);
  ~simulated_worker() override;

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] int rank() const noexcept { return rank_; }

  // For what drives all workers.

  enum class stage : std::uint8_t { runs, sleeps, waits, over };
  [[nodiscard]] stage now_is() const noexcept { return stage_; }
  [[nodiscard]] time_point wakes() const noexcept { return wakes_; }
  /// Whether the word has changed on which it sleeps.
  [[nodiscard]] bool is_woken() const noexcept;
  [[nodiscard]] int waits_for() const noexcept { return descriptor_; }
  [[nodiscard]] short waits_how() const noexcept { return events_; }
  /// Whether it can go on without any news.
  [[nodiscard]] bool is_able() const {
    if (stage_ != stage::sleeps) return stage_ == stage::runs;
    return wakes_ <= loop_.now() || is_woken();
  }
  /// Goes on until the next operation at which it stops.
  void go_on();
  /// It is ended by a signal, at its next operation.
  void signal(int number) noexcept;
  /// The same, at once.
  void end_now() noexcept;
  /// Of one that is over.
  [[nodiscard]] int wait_status() const noexcept { return wait_status_; }
  std::function<void()> when_over;
  std::function<void()> when_next_chunk;  // begins: what is known of those before was sent
  std::function<void()> when_frame_sent;  // as a whole, over a socket
  std::function<void(const hostile_act&)> when_hostile;
  /// It shares rings of this capacity with its parent.
  void share_memory(std::size_t capacity) noexcept { capacity_ = capacity; }
  [[nodiscard]] bool shares_memory() const noexcept { return capacity_ > 0; }
  /// What it says of the items that it has claimed: the word in the memory that it shares, or the
  /// counter. Of one that is over.
  [[nodiscard]] std::uint64_t claims() const;
  /// The parent reads that.
  void claims_are_read();

  // For what runs in it.

  /// The worker whose code runs now.
  static simulated_worker* running;
  /// An item takes its time.
  void sleep(nanoseconds time);
  /// It ends itself.
  [[noreturn]] void crash(int signal_number);
  [[nodiscard]] choices& chance() noexcept { return chance_; }
  /// Something is done that others could see: here it may be stopped or ended.
  void step();
  /// At any time it may become hostile.
  void may_turn_hostile();
  /// How it is hostile; null: it is not, ever.
  [[nodiscard]] hostility* hostile() noexcept { return hostility_.get(); }

  // worker_runtime
  [[nodiscard]] time_point now() override;
  void wait_for_input(int descriptor) override;
  void wait_for_output(int descriptor) override;
  bool wait_on_word(const std::uint64_t& word, std::uint64_t value, nanoseconds limit) override;
  void yield() override;
  [[nodiscard]] bool has_threads() const override { return false; }
  void require_running() override;

 private:
  struct ended {};  // is thrown where the worker ends

  void do_exit(int code) override;
  void do_exit_at_once(int code) override;
  void live();
  void be_hostile();
  void look_at_offer();
  [[nodiscard]] std::uint64_t count() const;
  void pause();
  void wait(int descriptor, short events);
  [[noreturn]] void end(int wait_status);

  event_loop& loop_;
  choices& chance_;
  choices& mischief_;
  const worker_faults faults_;
  const pid_t pid_;
  const int rank_;
  coterie::detail::unique_descriptor socket_;
  coterie::detail::unique_descriptor shared_;  // what came with the offer: memory, or a counter
  std::unique_ptr<hostility> hostility_;
  fiber fiber_;
  const coterie::detail::worker_state* state_ = nullptr;

  stage stage_ = stage::runs;
  time_point wakes_{};
  const std::uint64_t* word_ = nullptr;  // on which it sleeps
  std::uint64_t value_ = 0;              // of the word, for as long as it sleeps
  int descriptor_ = -1;
  short events_ = 0;
  std::optional<int> signal_;  // that has been sent
  std::size_t capacity_ = 0;   // of the rings that it shares with its parent
  std::uint64_t taken_ = 0;    // out of the counter, by the parent
  bool is_hostile_ = false;    // now
  bool ending_ = false;
  int wait_status_ = 0;
};

}  // namespace simulation
