// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "relacy.hpp"

namespace memory_model {

/// The socket on which one side is woken. It keeps what is sent to it until it is received. A side
/// that waits for ever leaves the other alone, and Relacy finds a deadlock.
class doorbell {
 public:
  doorbell() { sent_.init(false, 0, most, RL_INFO); }
  doorbell(const doorbell&) = delete;
  doorbell& operator=(const doorbell&) = delete;
  ~doorbell() { sent_.deinit(RL_INFO); }

  void ring() {
    ++rung_;
    unsigned before = 0;
    sent_.post(1, before, RL_INFO);
  }
  /// Receives what is there, and returns whether that was anything. If not, nothing is learned of
  /// the other side.
  bool take() {
    const bool there = rung_ > 0 || waits_;
    waits_ = false;
    while (rung_ > 0) wait_for_one();
    return there;
  }
  /// Waits until there is something, and receives it all.
  void wait() {
    wait_for_one();
    take();
  }
  /// Waits until there is something, and leaves it there.
  void wait_for_input() {
    if (!waits_) wait_for_one();
    waits_ = true;
  }

 private:
  static constexpr unsigned most = 1000;

  void wait_for_one() {
    sent_.wait(false, false, RL_INFO);
    --rung_;
  }

  rl::semaphore<doorbell> sent_;
  unsigned rung_ = 0;
  bool waits_ = false;  // what was waited for, to be received
};

}  // namespace memory_model
