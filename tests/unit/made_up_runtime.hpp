// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <poll.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <stdexcept>

#include <coterie/detail/shared_word.hpp>

#include "worker/worker_runtime.hpp"

/// The end of a worker that runs in the test's own process. No `std::exception`, as nothing that a
/// worker catches.
struct worker_ended {
  enum class way : std::uint8_t { exit, exit_at_once, killed } how = way::killed;
  int code = 0;
};

/// A worker in the test's own process, whose time is made up. It can be killed at any operation.
class made_up_runtime final : public coterie::detail::worker_runtime {
 public:
  /// What the parent does while the worker waits.
  std::function<void()> while_it_waits = [] {};
  /// What is to be seen of the worker when it ends.
  std::function<void()> when_it_ends = [] {};
  /// Operations of a worker before it is killed.
  std::size_t life = std::numeric_limits<std::size_t>::max();
  time_point time{std::chrono::hours{1}};

  [[nodiscard]] std::size_t operations() const noexcept { return operations_; }
  [[nodiscard]] std::size_t yields() const noexcept { return yields_; }

  [[nodiscard]] time_point now() override {
    step();
    return time += std::chrono::microseconds{1};
  }
  void wait_for_input(int descriptor) override { wait(descriptor, POLLIN); }
  void wait_for_output(int descriptor) override { wait(descriptor, POLLOUT); }
  bool wait_on_word(const std::uint64_t& word, std::uint64_t value,
                    std::chrono::nanoseconds limit) override {
    step();
    while_it_waits();
    if (coterie::detail::shared_word{const_cast<std::uint64_t&>(word)}.load() != value) return true;
    time += limit;
    return false;
  }
  void yield() override {
    step();
    ++yields_;
  }
  [[nodiscard]] bool has_threads() const override { return false; }
  void require_running() override { step(); }

 private:
  void wait(int descriptor, short events) {
    step();
    while_it_waits();
    pollfd wanted{.fd = descriptor, .events = events, .revents = 0};
    // What never comes ends the test, and not only the worker.
    if (::poll(&wanted, 1, 0) == 0) throw std::logic_error{"the worker would wait for ever"};
  }
  void step() {
    if (ended_) throw worker_ended{};
    if (operations_++ >= life) end({});
  }
  void end(worker_ended end) {
    ended_ = true;
    when_it_ends();
    throw end;
  }
  void do_exit(int code) override {
    step();
    end({.how = worker_ended::way::exit, .code = code});
  }
  void do_exit_at_once(int code) override {
    step();
    end({.how = worker_ended::way::exit_at_once, .code = code});
  }

  std::size_t operations_ = 0;
  std::size_t yields_ = 0;
  bool ended_ = false;
};
