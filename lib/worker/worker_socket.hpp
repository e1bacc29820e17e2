// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "channel/begun_counter.hpp"
#include "messages/send_queue.hpp"
#include "timing/timing.hpp"
#include "worker/result_teller.hpp"
#include "worker/worker_transport.hpp"

namespace coterie::detail {

/// Writes a part of `pieces` to the parent, and returns how much that was. Ends the worker when the
/// parent is gone.
std::size_t write_some(int socket, std::span<const iovec> pieces, worker_runtime& runtime);
/// The same with all that is in the queue.
void write_all(int socket, send_queue& queue, worker_runtime& runtime);

/// The other end of a `socket_link`: a blocking Unix stream socket.
class worker_socket final : public worker_transport {
 public:
  worker_socket(int descriptor, unique_descriptor begun, worker_runtime& runtime,
                std::chrono::nanoseconds result_check = timing::result_check)
      : descriptor_{descriptor},
        items_{std::move(begun)},
        teller_{descriptor, runtime, result_check},
        runtime_{runtime} {}

  std::size_t read(std::span<std::byte> to, bool may_wait) override;
  std::size_t write(std::span<const iovec> pieces) override {
    return write_some(descriptor_, pieces, runtime_);
  }
  // What is written to a socket wakes the process that waits for it.
  bool notify() override { return false; }
  [[nodiscard]] bool all_is_read() override { return true; }
  [[nodiscard]] const open_results& results() const noexcept override { return teller_.results(); }
  [[nodiscard]] bool results_survive() const noexcept override { return false; }
  void begin_results(std::uint64_t sent, job_id job, chunk_id chunk, std::size_t first) override {
    teller_.begin(sent, job, chunk, first);
  }
  [[nodiscard]] told_results end_results() override { return teller_.end(); }
  /// Sends open results, as the thread of `result_teller` does.
  void tell() { teller_.tell(); }
  [[nodiscard]] bool begin_chunk(std::size_t) override {
    items_.begin();
    return true;
  }
  [[nodiscard]] bool claim_up_to(std::size_t end, std::size_t unit) override;

 private:
  int descriptor_;
  begun_writer items_;
  result_teller teller_;
  worker_runtime& runtime_;
};

}  // namespace coterie::detail
