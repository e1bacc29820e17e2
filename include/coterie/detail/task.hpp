// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include <coterie/detail/result_progress.hpp>

namespace coterie::detail {

class byte_buffer;

/// Where a worker's results go, item by item, in order.
class result_sink {
 public:
  /// Where the bytes of the next results are appended; `succeeded` tells that they are whole.
  virtual byte_buffer& results() = 0;
  virtual void succeeded(std::size_t count) = 0;
  /// For many results in a row, of up to `most_in_a_row` bytes: counts each before the next item
  /// begins, so that it is not lost if that one ends the process. Once they are all there,
  /// `succeeded` is told, which counts the last.
  virtual result_progress progress() = 0;
  static constexpr std::size_t most_in_a_row = std::size_t{8} << 10U;
  /// The next item failed with the exception that is being handled; what it had appended to
  /// `results` since the last whole result is dropped.
  virtual void failed() = 0;
  /// How many more items may run before this is asked again; 0 means to stop, because the rest
  /// is not wanted. Looks at the clock and at the parent, so it is asked only now and then.
  virtual std::size_t allowance() = 0;

 protected:
  ~result_sink() = default;
};

/// A function in a worker, ready to run on the items of chunks. Made once for each job.
class task {
 public:
  task() = default;
  task(const task&) = delete;
  task& operator=(const task&) = delete;
  virtual ~task() = default;

  /// Runs the function on those of `items` with the indices from `first` on, before `end`. What the
  /// function throws goes to the sink; this throws only when `items` are not what the parent
  /// encodes.
  virtual void run(std::span<const std::byte> items, std::size_t first, std::size_t end,
                   result_sink& sink) = 0;
};

/// Makes a task of the bytes of its function. Of this type is every function whose place travels.
using task_factory = std::unique_ptr<task> (*)(std::span<const std::byte> callable);

}  // namespace coterie::detail
