// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>

#include "channel/open_results.hpp"
#include "messages/frame.hpp"
#include "timing/timing.hpp"
#include "worker/worker_transport.hpp"

namespace coterie::detail {

/// Sends the results of a worker that shares no memory with its parent, while the worker runs a
/// long item. So results do not wait for the end of that item, and are not lost if it ends the
/// worker.
///
/// The worker encodes results in `results`, in memory of its own, and counts each when it is whole.
/// A thread of this class checks that memory, and sends as a frame what has been there for
/// `interval`. From `begin` to `end` the socket belongs to that thread, from `end` to `begin` to
/// the worker. So the frames of both are whole and in order. The worker sends the rest itself.
///
/// The thread starts with the first results. What an initializer asks of the system for its own
/// thread (CPUs, priority, a filter of system calls) therefore holds for this one as well. The
/// thread takes no signals. It is parked while the worker has nothing to do. If the system refuses
/// the thread, or the runtime has none, results wait until the worker sends them.
///
/// Thread safety: one thread besides its own at a time.
class result_teller {
 public:
  /// Precondition: `socket` stays open, and `runtime` lives longer.
  result_teller(int socket, worker_runtime& runtime,
                std::chrono::nanoseconds interval = timing::result_check);
  result_teller(const result_teller&) = delete;
  result_teller& operator=(const result_teller&) = delete;
  ~result_teller();

  [[nodiscard]] const open_results& results() const noexcept { return results_; }
  /// The next results in `results` are those of these items. Precondition: all frames are sent.
  void begin(std::uint64_t sent, job_id job, chunk_id chunk, std::size_t first);
  /// From now on the worker sends what `results` holds. Returns the part that has been sent
  /// already; nothing if there was no `begin`.
  told_results end();

  /// Sends what is in `results` and was not sent yet. The thread does this.
  void tell();

 private:
  struct freed {
    void operator()(std::byte* memory) const noexcept { std::free(memory); }
  };

  void start();
  void run();
  void send_news();

  int socket_;
  worker_runtime& runtime_;
  std::chrono::nanoseconds interval_;
  std::unique_ptr<std::byte, freed> memory_;
  open_results results_;

  // Of the members below, those that both threads use are guarded by the mutex. So are the bytes of
  // `results_`: they are written again only between `end` and `begin`, when the thread reads none.
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;  // between `begin` and `end`; only the worker changes it
  bool parked_ = false;
  bool leaving_ = false;
  message::values all_{};  // those in `results_`; their number is not kept here
  told_results told_;
  worker_runtime::time_point begun_{};
  bool started_ = false;
  std::thread thread_;
};

}  // namespace coterie::detail
