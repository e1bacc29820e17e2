// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <list>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/steady_timer.hpp>

#include <coterie/detail/pool_core.hpp>
#include <coterie/detail/receiver.hpp>

namespace coterie::detail {

/// The part of an `async_result` that does not depend on the type of its value. What is not atomic is
/// touched only under the pool's sequencer.
class async_progress {
 public:
  enum class status : unsigned char { pending, value, failure };

  std::atomic<status> now = status::pending;
  std::atomic<std::size_t> finished = 0;
  std::atomic<std::size_t> total = 0;  // 0: not known yet

  [[nodiscard]] bool ready() const noexcept { return now.load() != status::pending; }
};

/// How a wait for an outcome ends.
enum class wait_end { ready, late, cancelled };

/// What an `async_result` looks at: the outcome of a call, and those who wait for it.
template <class T>
class async_state;

template <class T, class Base>
class async_state_base : public Base, public async_progress {
 public:
  using ticket = std::uint64_t;
  using waiter = unique_function<void(wait_end, deliveries&)>;

  /// Calls `then` when the outcome is there, or the wait ends otherwise.
  void wait(ticket id, waiter then, std::shared_ptr<boost::asio::steady_timer> timer,
            deliveries& due) {
    if (ready()) return then(wait_end::ready, due);
    waiting_.push_back({id, std::move(then), std::move(timer)});
  }

  void end_wait(ticket id, wait_end how, deliveries& due) {
    for (auto each = waiting_.begin(); each != waiting_.end(); ++each) {
      if (each->id != id) continue;
      auto then = std::move(each->then);
      waiting_.erase(each);
      return then(how, due);
    }
  }

  void abandon() noexcept override { waiting_.clear(); }
  void progressed(std::size_t count) override { finished.store(count); }

 protected:
  void settle(status outcome, deliveries& due) {
    now.store(outcome);
    for (auto& each : std::exchange(waiting_, {})) {
      if (each.timer) each.timer->cancel();
      each.then(wait_end::ready, due);
    }
  }

 private:
  struct wait_entry {
    ticket id;
    waiter then;
    std::shared_ptr<boost::asio::steady_timer> timer;
  };
  std::list<wait_entry> waiting_;
};

template <class T>
class async_state final : public async_state_base<T, receiver<T>> {
 public:
  void receive(deliveries& due, T&& outcome) override {
    try {
      value.emplace(std::move(outcome));
    } catch (...) {
      return fail(std::current_exception(), due);
    }
    this->settle(async_progress::status::value, due);
  }
  void fail(std::exception_ptr reason, deliveries& due) override {
    problem = std::move(reason);
    this->settle(async_progress::status::failure, due);
  }

  std::exception_ptr problem;
  std::optional<T> value;
};

template <>
class async_state<void> final : public async_state_base<void, receiver<>> {
 public:
  void receive(deliveries& due) override { settle(status::value, due); }
  void fail(std::exception_ptr reason, deliveries& due) override {
    problem = std::move(reason);
    settle(status::failure, due);
  }

  std::exception_ptr problem;
};

}  // namespace coterie::detail
