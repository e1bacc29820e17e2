// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <span>
#include <vector>

#include <coterie/detail/byte_buffer.hpp>
#include <coterie/detail/function_reference.hpp>

namespace coterie::detail {

/// A completion handler together with what it is to be called with. Nothing runs until `deliver`.
class delivery {
 public:
  delivery() = default;
  delivery(const delivery&) = delete;
  delivery& operator=(const delivery&) = delete;
  virtual ~delivery() = default;

  /// Calls the handler on its associated executor: at once, if that executor allows it and
  /// `may_run_inside`; otherwise later. Called once, on the object that is handed over.
  virtual void deliver(std::unique_ptr<delivery> self, bool may_run_inside) = 0;
};

/// Handlers that are due. They are called when the pool is at rest, never from inside it.
using deliveries = std::vector<std::unique_ptr<delivery>>;

/// How the items of a job are chosen and kept.
struct job_settings {
  std::size_t chunksize = 0;
  std::size_t window = 0;
  bool held_until_consumed = false;
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

  /// Takes up to `most` items from the input and appends them to `out`; stops early when `out` has
  /// grown beyond `most_bytes`. What it throws fails the job.
  virtual cut_result cut(std::size_t most, std::size_t most_bytes, byte_buffer& out) = 0;

  /// Results of the items `first` to `first + count`. Throws if they do not decode at all.
  virtual job_progress values(std::size_t first, std::size_t count,
                              std::span<const std::byte> results, deliveries& due) = 0;
  /// The item `index` failed.
  virtual job_progress failure(std::size_t index, std::exception_ptr problem, deliveries& due) = 0;

  /// Results that were held for their reader, and that the reader has got since this was last asked.
  virtual std::size_t released() noexcept = 0;

  /// Every item is accounted for; or the job ends early, with `problem`.
  virtual void finish(std::exception_ptr problem, deliveries& due) = 0;

  /// The event loop is being destroyed: handlers are dropped uncalled.
  virtual void abandon() noexcept = 0;
};

}  // namespace coterie::detail
