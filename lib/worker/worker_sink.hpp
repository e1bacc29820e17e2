// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include <coterie/detail/byte_buffer.hpp>
#include <coterie/detail/task.hpp>

#include "timing/timing.hpp"
#include "worker/item_pace.hpp"
#include "worker/notify_policy.hpp"
#include "worker/worker_link.hpp"
#include "worker/worker_runtime.hpp"

namespace coterie::detail {

/// Sends the results of a chunk to the parent: together while they come quickly, each at once when
/// they do not.
///
/// Results are open (`worker_link::open`) until they are sent. Everything else is sent before the
/// next item begins. So the parent gets results although the next item is long.
///
/// On a link on which open results survive (`worker_link::results_survive`), the parent gets them
/// even if this process ends. On any other link the parent gets at least those that were whole a
/// short while before, and knows which items have begun; and all results of a chunk of given size
/// are sent before the next such chunk begins.
class worker_sink final : public result_sink {
 public:
  /// How the results of a job are sent.
  struct manner {
    std::size_t chunksize = 0;  // items that run on one worker as a whole; 0: single ones
    /// The longest time for which a result waits for those after it, as long as items end.
    std::chrono::nanoseconds longest_wait = timing::longest_silence;
  };

  worker_sink(worker_link& link, worker_runtime& runtime)
      : link_{link},
        runtime_{runtime},
        results_{link.memory_for_results()},
        policy_{link.policy()} {}

  /// Begins the chunk that `items` says. To be called for each that comes. False: the parent has
  /// revoked it.
  bool begin(const message::run& items, const manner& how);
  /// Ends the chunk: sends what was not sent, and that it is done.
  void end();

  /// Claims the next item. What the program does for it from now on may end this process.
  void reach_first() { claim(first_ + 1); }

  /// Fails every item that has not ended and is not revoked, with the exception that is being
  /// handled.
  void fail_rest();

  /// The index, in the chunk, of the item that runs.
  [[nodiscard]] std::size_t current() const noexcept {
    return first_ + (row_ == nullptr ? waiting_ : result_progress::count_in(*row_));
  }

  byte_buffer& results() override { return results_; }
  void succeeded(std::size_t count) override;
  result_progress progress() override;
  void failed() override;
  std::size_t allowance() override;

 private:
  [[nodiscard]] bool are_open() const;
  [[nodiscard]] bool may_wait() const;
  [[nodiscard]] std::uint64_t& progress_word();
  void flush(worker_runtime::time_point now);
  void push_values(std::size_t claim_behind = 0);
  bool queue_values(std::size_t claim_behind = 0, std::uint32_t busy = 0);
  void publish();
  void empty_results();
  worker_runtime::time_point read_clock();
  void claim(std::size_t end);

  worker_link& link_;
  worker_runtime& runtime_;
  byte_buffer results_;
  byte_buffer problem_;
  std::size_t whole_ = 0;    // bytes of `results_` that are whole results
  std::size_t waiting_ = 0;  // results in `results_`
  std::uint64_t uncounted_ = 0;
  const std::uint64_t* row_ = nullptr;  // the count of results in a row, while they are made
  job_id job_ = 0;
  chunk_id chunk_ = 0;
  manner how_;
  std::size_t begun_with_ = 0;
  std::size_t count_ = 0;
  std::size_t first_ = 0;    // of the results in `results_`
  std::size_t claimed_ = 0;  // items before this one are claimed
  item_pace pace_;
  notify_policy& policy_;
};

}  // namespace coterie::detail
