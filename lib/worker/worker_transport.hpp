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

/// Open results that were sent before the frame to which they belong.
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

  /// Copies what has come, and returns how much that was. If there is nothing, waits for it or
  /// returns 0. Throws `bad_frame`.
  virtual std::size_t read(std::span<std::byte> to, bool may_wait) = 0;

  /// Whether there is something to read, if that is known without a system call. Throws
  /// `bad_frame`.
  [[nodiscard]] virtual bool input_waits() { return false; }

  /// Sends at least a byte of `pieces`, and returns how much that was. Waits until there is room.
  /// What was sent arrives even if this process ends now. Throws `bad_frame`.
  virtual std::size_t write(std::span<const iovec> pieces) = 0;

  /// Notifies the parent of what was sent. Returns whether it had to be woken, as far as that is
  /// known.
  virtual bool notify() = 0;
  /// Whether the parent has read all that was sent.
  [[nodiscard]] virtual bool all_is_read() = 0;

  /// Whether the parent can be asked for segments.
  [[nodiscard]] virtual bool has_segments() const noexcept { return false; }
  /// The descriptor that the parent has sent before the frame which speaks of it. Throws
  /// `bad_frame` if there is none.
  virtual unique_descriptor take_descriptor();

  /// The memory of results that are not sent yet. The parent gets those which are whole although
  /// the next item is long.
  [[nodiscard]] virtual const open_results& results() const noexcept = 0;
  /// Whether the parent gets them even if this process ends. If not, the end of this process costs
  /// those of the last moments (`timing::result_check`).
  [[nodiscard]] virtual bool results_survive() const noexcept = 0;
  /// The next results in `results` are those of these items; `sent` frames were sent before them.
  /// Precondition: all that was to be sent has been written.
  virtual void begin_results(std::uint64_t sent, job_id job, chunk_id chunk, std::size_t first) = 0;
  /// The next frames that are written begin with the results that lie there. Returns those that
  /// were sent already, which the frames leave out.
  [[nodiscard]] virtual told_results end_results() { return {}; }

  /// To be called for each chunk that comes, in order. It begins with the item `first`. False: the
  /// parent has revoked the chunk.
  [[nodiscard]] virtual bool begin_chunk(std::size_t first) = 0;
  /// Claims the items of that chunk before the one with the index `end`, before they are run. If
  /// this process ends, no others have begun. False: the parent has revoked all that were not
  /// claimed, but for the rest of a unit (of `unit` items) that was begun.
  [[nodiscard]] virtual bool claim_up_to(std::size_t end, std::size_t unit) = 0;

  /// The kind of transport that the parent offers on `socket`, and the secret that it expects in
  /// the greeting. `socket` and `runtime` must outlive the transport.
  struct accepted {
    std::unique_ptr<worker_transport> transport;
    link_secret secret;
  };
  static accepted accept(int socket, worker_runtime& runtime);
};

/// Ends a worker whose parent is gone.
[[noreturn]] void leave_without_parent(worker_runtime& runtime);

/// Ends a worker because a task has closed the descriptor of its link.
[[noreturn]] void leave_without_link(worker_runtime& runtime);

}  // namespace coterie::detail
