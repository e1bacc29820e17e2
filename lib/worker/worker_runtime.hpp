// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdlib>

namespace coterie::detail {

/// What the worker's end of a link runs on: its clock, its waits, and the end of its process.
///
/// Every function may throw, also one that does not return. An implementation can end a worker by
/// an exception of a type of its own, which is no `std::exception`; each later call throws it
/// again. So no function of a runtime is called in a destructor, or in a function that is
/// `noexcept`.
class worker_runtime {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  worker_runtime() = default;
  worker_runtime(const worker_runtime&) = delete;
  worker_runtime& operator=(const worker_runtime&) = delete;
  virtual ~worker_runtime() = default;

  [[nodiscard]] virtual time_point now() = 0;

  /// Blocks until something can be read from the socket, or its other end is closed. May return
  /// before that.
  virtual void wait_for_input(int descriptor) = 0;
  /// Blocks until the socket takes more, or its other end is closed. May return before that.
  virtual void wait_for_output(int descriptor) = 0;

  /// Blocks while a word of shared memory has this value, until the other process wakes this one,
  /// for at most `limit`. Returns false if that time has passed. May return before that.
  virtual bool wait_on_word(const std::uint64_t& word, std::uint64_t value,
                            std::chrono::nanoseconds limit) = 0;

  /// Yields the CPU to another process that needs one.
  virtual void yield() = 0;

  /// Whether the worker's code may start threads. If so, they call `now`, `wait_for_output`
  /// and `exit_at_once` too.
  [[nodiscard]] virtual bool has_threads() const = 0;

  /// Throws if the worker has ended. To be called first in every handler that catches all
  /// exceptions: a worker that has ended tells its parent of no error.
  virtual void require_running() = 0;

  /// Ends the worker, and runs what the program runs at its exit.
  [[noreturn]] void exit(int code) {
    do_exit(code);
    std::abort();
  }
  /// Ends the worker, and runs nothing.
  [[noreturn]] void exit_at_once(int code) {
    do_exit_at_once(code);
    std::abort();
  }

 private:
  // These do not return. A compiler (g++ 12) forgets that of a virtual function.
  virtual void do_exit(int code) = 0;
  virtual void do_exit_at_once(int code) = 0;
};

}  // namespace coterie::detail
