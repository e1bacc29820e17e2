// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>

#include <coterie/detail/counted.hpp>
#include <coterie/detail/delivery.hpp>

namespace coterie::detail {

/// Whether a job still cares for what comes.
enum class job_progress : bool { wants_more, settled };

/// Names a handler among those that wait for results.
using wait_ticket = std::uint64_t;

/// The results of a call: takes them as bytes, makes values of them, and hands these to the
/// handlers that wait for them. The core calls it from one thread at a time, through `job`, and
/// never again after `finish` or `abandon`; those that wait come under the same sequencer.
class result_taker : public counted<result_taker> {
 public:
  result_taker() = default;
  result_taker(const result_taker&) = delete;
  result_taker& operator=(const result_taker&) = delete;
  virtual ~result_taker() = default;

  /// Results of the items `first` to `first + count`. Throws if they do not decode at all.
  virtual job_progress values(std::size_t first, std::size_t count,
                              std::span<const std::byte> results, deliveries& due) = 0;
  /// The item `index` failed.
  virtual job_progress failure(std::size_t index, std::exception_ptr error, deliveries& due) = 0;
  /// Every item is accounted for; or the job ends early, with `error`.
  virtual void finish(std::exception_ptr error, deliveries& due) = 0;
  /// The event loop is being destroyed: handlers are dropped uncalled.
  virtual void abandon() noexcept = 0;

  /// A handler waits no longer: it gets `operation_aborted`, if it still waits.
  virtual void cancel_wait(wait_ticket ticket, deliveries& due) = 0;

  /// The input failed after some items had been taken. True if their results are still wanted; what
  /// is then passed to `finish` later is this error.
  [[nodiscard]] virtual bool outlasts_input() const noexcept { return false; }
  /// Whether each item has an outcome of its own, so that one which cannot run fails alone.
  [[nodiscard]] virtual bool settles_each() const noexcept { return false; }
  /// Results that were held for their reader, and that the reader has got since this was last
  /// asked.
  virtual std::size_t released() noexcept { return 0; }
};

}  // namespace coterie::detail
