// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <memory>

#include <coterie/detail/unique_function.hpp>

#include "system/unique_descriptor.hpp"

namespace coterie::detail {

class runtime_timer;
class watched_socket;

/// What the parts of a pool run on: turns, a clock, timers, and sockets that are waited for. A pool
/// has the program's event loop behind it; tests make theirs up.
///
/// A turn is a function that is called when nothing else happens in the pool. All that the event
/// loop tells is told in a turn: so no part of a pool needs to care about threads. A turn keeps
/// alive what it touches.
class runtime {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  using turn = unique_function<void()>;

  /// Gives `what` its turn: now, or when the turn that is going on has ended. Called by the event
  /// loop, in any of its threads.
  virtual void enter(turn what) = 0;
  /// Has the event loop give `what` its turn, after what it has to do now.
  virtual void post(turn what) = 0;
  /// Keeps the pool alive, for as long as the event loop may have something to tell.
  [[nodiscard]] virtual std::shared_ptr<runtime> share() = 0;
  [[nodiscard]] virtual time_point now() const = 0;
  [[nodiscard]] virtual std::unique_ptr<runtime_timer> make_timer() = 0;
  /// Throws `boost::system::system_error` if the event loop cannot watch the socket.
  [[nodiscard]] virtual std::unique_ptr<watched_socket> watch(unique_descriptor socket) = 0;

 protected:
  ~runtime() = default;
};

/// A timer of a `runtime`. Its destruction gives it back at once.
class runtime_timer {
 public:
  runtime_timer() = default;
  runtime_timer(const runtime_timer&) = delete;
  runtime_timer& operator=(const runtime_timer&) = delete;
  virtual ~runtime_timer() = default;

  /// Has `what` called in a turn at this time, instead of what was to be called before. That may be
  /// on its way already, and is called then as well.
  virtual void call_at(runtime::time_point when, runtime::turn what) = 0;
  /// Nothing is to be called any more, but for what is on its way.
  virtual void cancel() = 0;
};

}  // namespace coterie::detail
