// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "channel/link_offer.hpp"
#include "channel/open_results.hpp"
#include "system/unique_descriptor.hpp"
#include "worker/worker_runtime.hpp"

namespace coterie::detail {

/// Results that the parent has been told of before their frame is sent.
struct told_results {
  std::size_t count = 0;
  std::size_t bytes = 0;
};

/// How the bytes of a worker's frames come and go: the other end of a `link`. Ends the worker when
/// the parent is gone.
class worker_transport {
 public:
  worker_transport() = default;
  worker_transport(const worker_transport&) = delete;
  worker_transport& operator=(const worker_transport&) = delete;
  virtual ~worker_transport() = default;

  /// Copies what has come, and returns how much that was. If nothing has it waits, or returns 0.
  /// Throws `bad_frame`.
  virtual std::size_t read(std::span<std::byte> to, bool may_wait) = 0;

  /// Whether there is something to read, if that can be said at once. Throws `bad_frame`.
  [[nodiscard]] virtual bool input_waits() { return false; }

  /// Sends a part of `pieces`, and returns how much that was; waits until it is not nothing. What
  /// was sent arrives even if this process ends now. Throws `bad_frame`.
  virtual std::size_t write(std::span<const iovec> pieces) = 0;

  /// Sees to it that the parent looks at what was sent, if it would not do so soon. Whether it had
  /// to be woken, as far as that can be told.
  virtual bool notify() = 0;
  /// Whether it has read all that was sent.
  [[nodiscard]] virtual bool all_is_read() = 0;

  /// Whether the parent can be asked for segments.
  [[nodiscard]] virtual bool has_segments() const noexcept { return false; }
  /// The descriptor that the parent has sent before the frame which speaks of it. Throws
  /// `bad_frame` if there is none.
  virtual unique_descriptor take_descriptor();

  /// Where results lie until they are sent, so that the parent gets those which are whole although
  /// the next item is long.
  [[nodiscard]] virtual const open_results& results() const noexcept = 0;
  /// Whether the parent gets them even if this process ends. If not, those of the last moments are
  /// lost then (`timing::result_check`).
  [[nodiscard]] virtual bool results_survive() const noexcept = 0;
  /// What comes into `results` next are results of these items; so many frames were sent before.
  /// Precondition: all that was to be sent has been written.
  virtual void begin_results(std::uint64_t sent, job_id job, chunk_id chunk, std::size_t first) = 0;
  /// The frames that are written next begin with the results that lie there, but for those
  /// returned.
  [[nodiscard]] virtual told_results end_results() { return {}; }

  /// To be told of each chunk that comes, in order; it begins with the item `first`. False: it has
  /// been taken back.
  [[nodiscard]] virtual bool begin_chunk(std::size_t first) = 0;
  /// Claims the items of that chunk before the one with the index `end`, before they are run:
  /// should this process end, no others have begun. False: all that were not claimed have been
  /// taken back, but for the rest of a unit, of `unit` items each, that was begun.
  [[nodiscard]] virtual bool claim_up_to(std::size_t end, std::size_t unit) = 0;

  /// The kind that the parent offers on `socket`, and what it wants to hear in the greeting. Both
  /// `socket` and `runtime` must outlive the transport.
  struct accepted {
    std::unique_ptr<worker_transport> transport;
    link_secret secret;
  };
  static accepted accept(int socket, worker_runtime& runtime);
};

/// The parent is gone: nothing is left to do.
[[noreturn]] void leave_without_parent(worker_runtime& runtime);

/// A task has closed a descriptor that this process needs to speak with its parent.
[[noreturn]] void leave_without_link(worker_runtime& runtime);

}  // namespace coterie::detail
