// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>

#include <coterie/detail/byte_buffer.hpp>
#include <coterie/detail/task.hpp>

#include "worker/worker_link.hpp"

namespace coterie::detail {

/// Sends the results of a chunk to the parent: together while they come quickly, each at once when
/// they do not.
class worker_sink final : public result_sink {
 public:
  using clock = std::chrono::steady_clock;

  /// No result waits longer than this for those after it, as long as items end.
  static constexpr std::chrono::nanoseconds longest_wait = longest_silence;
  /// How often a look is taken whether the parent has cancelled the job.
  static constexpr std::chrono::nanoseconds look_interval = std::chrono::milliseconds{1};

  explicit worker_sink(worker_link& link) : link_{link}, results_{link.result_memory()} {}

  void begin(job_id job, chunk_id chunk, std::size_t count);
  /// Tells the parent that the chunk is over, with whatever has not been sent.
  void end();

  /// The exception that is being handled is the fate of every item that has none yet.
  void fail_rest();

  byte_buffer& results() override { return results_; }
  void succeeded(std::size_t count) override;
  void failed() override;
  std::size_t allowance() override;

 private:
  void flush();
  void push_values();
  void empty_results();

  worker_link& link_;
  byte_buffer results_;
  byte_buffer problem_;
  std::size_t whole_ = 0;    // bytes of `results_` that are whole results
  std::size_t waiting_ = 0;  // results in `results_`
  job_id job_ = 0;
  chunk_id chunk_ = 0;
  std::size_t count_ = 0;
  std::size_t first_ = 0;    // of the results in `results_`
  std::size_t allowed_ = 1;  // items between two looks at the clock
  clock::time_point begun_{};
  clock::time_point last_look_{};
  clock::time_point last_flush_{};
  clock::time_point now_{};
};

}  // namespace coterie::detail
