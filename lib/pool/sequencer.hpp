// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include <coterie/detail/unique_function.hpp>

namespace coterie::detail {

/// Lets one thread at a time do something, and never makes another wait for it: what is asked for
/// while a thread is at work is left for that thread to do. What is being done may ask for more.
class sequencer {
 public:
  using task = unique_function<void()>;

  /// Either runs `work` and then what others have left in the meantime, ends each with
  /// `after_each()`, and returns true; or leaves `work` to the thread that is doing this now, and
  /// returns false.
  template <class Work, class AfterEach>
  bool run(Work&& work, AfterEach after_each) {
    {
      const std::scoped_lock lock{mutex_};
      if (busy_) {
        left_.emplace_back(std::forward<Work>(work));
        ++left_so_far_;
        return false;
      }
      busy_ = true;
      owner_ = std::this_thread::get_id();
    }
    work();
    after_each();
    for (;;) {
      task next;
      {
        const std::scoped_lock lock{mutex_};
        if (left_.empty()) {
          busy_ = false;
          owner_ = {};
          return true;
        }
        next = std::move(left_.front());
        left_.pop_front();
      }
      next();
      after_each();
      {
        const std::scoped_lock lock{mutex_};
        ++done_so_far_;
      }
      done_.notify_all();
    }
  }

  /// Waits until everything is done that had been left before. Returns at once to the thread that
  /// is doing it, which would wait for itself.
  void wait_for_rest() {
    std::unique_lock lock{mutex_};
    if (owner_ == std::this_thread::get_id()) return;
    done_.wait(lock, [this, all = left_so_far_] { return done_so_far_ >= all; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable done_;
  std::deque<task> left_;
  std::thread::id owner_;
  std::uint64_t left_so_far_ = 0;
  std::uint64_t done_so_far_ = 0;
  bool busy_ = false;
};

}  // namespace coterie::detail
