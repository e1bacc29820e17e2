// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>

#include <coterie/detail/byte_buffer.hpp>
#include <coterie/detail/delivery.hpp>
#include <coterie/detail/function_reference.hpp>

namespace coterie::detail {

/// How the items of a job are chosen and kept.
struct job_settings {
  std::size_t chunksize = 0;
  std::size_t window = 0;
  bool held_until_consumed = false;
  std::optional<std::uint64_t> seed{};  // of the items; none: the pool's choice
};

/// How many items are to be taken from an input: up to `most`, but no more than `least` when their bytes
/// are enough.
struct cut_limits {
  std::size_t most = 1;
  std::size_t least = 1;
  std::size_t enough_bytes = 0;
};

/// What a job took from its input.
struct cut_result {
  std::size_t count = 0;
  bool exhausted = false;
};

/// Whether a job still cares for what comes.
enum class job_progress : bool { wants_more, settled };

/// One call on a pool with its types erased: where items come from, and where results go. The core
/// calls it from one thread at a time, and never again after `finish` or `abandon`.
class job {
 public:
  job() = default;
  job(const job&) = delete;
  job& operator=(const job&) = delete;
  virtual ~job() = default;

  [[nodiscard]] virtual job_settings settings() const = 0;

  /// The `task_factory` for the worker, and the bytes that it is given.
  [[nodiscard]] virtual function_reference factory() const = 0;
  virtual void encode_callable(byte_buffer& out) = 0;

  /// Takes items from the input and appends them to `out`. What it throws fails the job.
  virtual cut_result cut(const cut_limits& limits, byte_buffer& out) = 0;

  /// Results of the items `first` to `first + count`. Throws if they do not decode at all.
  virtual job_progress values(std::size_t first, std::size_t count,
                              std::span<const std::byte> results, deliveries& due) = 0;
  /// The item `index` failed.
  virtual job_progress failure(std::size_t index, std::exception_ptr problem, deliveries& due) = 0;

  /// Results that were held for their reader, and that the reader has got since this was last asked.
  virtual std::size_t released() noexcept = 0;

  /// Whether each item has an outcome of its own, so that one which cannot run fails alone.
  [[nodiscard]] virtual bool settles_each() const noexcept = 0;

  /// Every item is accounted for; or the job ends early, with `problem`.
  virtual void finish(std::exception_ptr problem, deliveries& due) = 0;

  /// The event loop is being destroyed: handlers are dropped uncalled.
  virtual void abandon() noexcept = 0;
};

}  // namespace coterie::detail
