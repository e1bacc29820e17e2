// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "channel/busy_poll.hpp"
#include "channel/claims.hpp"
#include "channel/open_results.hpp"
#include "channel/ring_channel.hpp"
#include "system/shared_memory.hpp"
#include "system/unique_descriptor.hpp"
#include "worker/worker_transport.hpp"

namespace coterie::detail {

/// The other end of a `ring_link`: a `ring_channel`. The worker sleeps on a word of the shared
/// memory at first, and on the socket when nothing comes for a while.
class worker_ring final : public worker_transport {
 public:
  worker_ring(int descriptor, shared_memory memory, std::size_t capacity,
              std::chrono::nanoseconds poll_for, worker_runtime& runtime);

  std::size_t read(std::span<std::byte> to, bool may_wait) override;
  [[nodiscard]] bool input_waits() override { return channel_.readable() > 0; }
  std::size_t write(std::span<const iovec> pieces) override;
  bool notify() override { return channel_.notify(); }
  [[nodiscard]] bool all_is_read() override { return channel_.all_is_read(); }
  [[nodiscard]] bool has_segments() const noexcept override { return true; }
  unique_descriptor take_descriptor() override;
  [[nodiscard]] const open_results& results() const noexcept override { return results_; }
  [[nodiscard]] bool results_survive() const noexcept override { return true; }
  void begin_results(std::uint64_t sent, job_id job, chunk_id chunk, std::size_t first) override {
    results_.begin(sent, job, chunk, first);
  }
  [[nodiscard]] bool begin_chunk(std::size_t first) override { return items_.begin(first); }
  [[nodiscard]] bool claim_up_to(std::size_t end, std::size_t unit) override {
    return items_.claim_up_to(end, unit);
  }

 private:
  bool poll();
  bool nap();
  void sleep();
  bool receive();

  int descriptor_;
  shared_memory memory_;
  std::size_t capacity_;
  ring_channel channel_;
  open_results results_;
  claimer items_;
  busy_poll poll_;
  worker_runtime& runtime_;
};

}  // namespace coterie::detail
