// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "choices.hpp"
#include "runtime/runtime.hpp"
#include "runtime/watched_socket.hpp"

namespace simulation {

class simulated_socket;

/// The parent's event loop, with a made-up clock. Sockets are real ones, but their news comes when
/// chance says.
class event_loop final : public coterie::detail::runtime,
                         public std::enable_shared_from_this<event_loop> {
 public:
  explicit event_loop(std::uint64_t seed = 0) : chance_{seed} {}

  // runtime
  void enter(turn what) override;
  void post(turn what) override { add(now_, std::move(what)); }
  [[nodiscard]] std::shared_ptr<runtime> share() override { return shared_from_this(); }
  /// Reading the clock takes time, as everywhere: a loop that waits for it comes to an end.
  [[nodiscard]] time_point now() const override { return now_ += nanoseconds{20}; }
  [[nodiscard]] std::unique_ptr<coterie::detail::runtime_timer> make_timer() override;
  [[nodiscard]] std::unique_ptr<coterie::detail::watched_socket> watch(
      coterie::detail::unique_descriptor socket) override;

  /// Is called after each turn.
  void after_each_turn(std::function<void()> what) { after_each_ = std::move(what); }
  [[nodiscard]] nanoseconds since_start() const { return now_ - time_point{}; }
  void pass(nanoseconds time) { now_ += time; }
  void pass_until(time_point when) { now_ = std::max(now_, when); }

  using event_id = std::pair<time_point, std::uint64_t>;
  event_id add(time_point when, turn what);
  void remove(event_id id) { events_.erase(id); }

  /// The next event; empty: there is none. It may be due.
  [[nodiscard]] std::optional<time_point> next() const;
  /// Runs the next event. Precondition: it is due.
  void run_next();
  /// Forgets what it has to do.
  void drop_all() { std::exchange(events_, {}).clear(); }
  /// Sees what has come to the sockets, and has it told some time later.
  void look_at_sockets();

 private:
  friend class simulated_socket;

  choices chance_;
  mutable time_point now_{};
  std::uint64_t last_event_ = 0;
  std::map<event_id, turn> events_;
  std::vector<simulated_socket*> sockets_;
  std::function<void()> after_each_;
  std::deque<turn> waiting_;  // turns
  bool in_turn_ = false;
};

}  // namespace simulation
