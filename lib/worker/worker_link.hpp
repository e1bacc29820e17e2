// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include <coterie/detail/byte_buffer.hpp>

#include "messages/frame.hpp"
#include "messages/frame_reader.hpp"
#include "messages/send_queue.hpp"
#include "worker/fork_guard.hpp"
#include "worker/notify_policy.hpp"
#include "worker/result_memory.hpp"
#include "worker/worker_segments.hpp"
#include "worker/worker_transport.hpp"

namespace coterie::detail {

/// The worker's end of its link: frames both ways. Ends the worker when the parent is gone or sends
/// what makes no sense. Ends the process if it is not the one in which the link was made.
class worker_link {
 public:
  worker_link(std::unique_ptr<worker_transport> transport, worker_runtime& runtime);

  /// The next frame, if one is here already; valid until the next call.
  std::optional<frame> next();
  /// To be checked when code of the program has run.
  [[nodiscard]] const fork_guard& guard() const noexcept { return guard_; }
  /// The items of a chunk, in the frame or in their segment. Throws if the segment could not be
  /// mapped.
  [[nodiscard]] std::span<const std::byte> items_of(const frame& chunk) const;
  /// Whether a chunk has come behind the last frame from `next`, which stays valid.
  [[nodiscard]] bool another_chunk_has_come();
  /// Whether the parent has cancelled `job`, as far as is known without waiting. The last frame
  /// from `next` stays valid.
  bool cancelled(job_id job);
  /// Waits until bytes come.
  void wait();

  template <class Message>
  void send(const Message& what, std::span<const std::byte> payload = {}) {
    ++sent_;
    queue_.push(frame_header::of(what), payload);
  }
  /// The memory into which results should be encoded.
  [[nodiscard]] std::shared_ptr<buffer_memory> memory_for_results() const { return memory_; }
  /// The results that are not sent yet. The parent sees them, or is sent them from time to time.
  [[nodiscard]] const open_results& open() const noexcept { return open_; }
  /// Whether the parent has these results even if this process ends now.
  [[nodiscard]] bool results_survive() const noexcept { return transport_->results_survive(); }
  /// The next results in `open` are those of these items. They may stay there while other items
  /// run. Precondition: everything is published.
  void begin_results(job_id job, chunk_id chunk, std::size_t first) {
    transport_->begin_results(sent_, job, chunk, first);
  }
  /// To be called before anything else is sent. Returns those of these results that were sent
  /// already.
  [[nodiscard]] told_results end_results() { return transport_->end_results(); }
  /// To be called first for each chunk that comes. It begins with the item `first`. False: the
  /// parent has revoked the chunk.
  [[nodiscard]] bool begin_chunk(std::size_t first) { return transport_->begin_chunk(first); }
  /// Claims the items of that chunk before the one with the index `end`, before they are run.
  /// False: the parent has revoked all that were not claimed, but for the rest of a unit that was
  /// begun.
  [[nodiscard]] bool claim_items_up_to(std::size_t end, std::size_t unit) {
    return transport_->claim_up_to(end, unit);
  }
  /// Sends results, without the first `already_sent` bytes. If they are large, `bytes` may be the
  /// parent's afterwards, and this may wait until the parent has read earlier ones.
  void send_results(const message::values& what, byte_buffer& bytes, std::size_t already_sent);
  /// Bytes that neither `publish` nor `flush` has sent.
  [[nodiscard]] std::size_t unsent() const noexcept { return queue_.size(); }
  /// Sends what is queued: it arrives even if this process ends now. The parent is not notified. If
  /// no `flush` follows soon, it checks by itself.
  void publish();
  /// Sends what is queued, and notifies the parent.
  void flush();
  /// When to do so. Is told of both.
  [[nodiscard]] notify_policy& policy() noexcept { return policy_; }
  /// Yields the CPU, unless the parent has read all that was sent.
  void yield_to_parent();

 private:
  std::optional<frame> take();
  std::size_t read_into(frame_reader& reader, bool may_wait);
  void read_ahead(bool may_wait);
  void handle_own(const frame_header& header);
  bool move_to_segment(byte_buffer& bytes);
  void ask_for_segment(std::size_t size);

  fork_guard guard_;
  worker_runtime& runtime_;
  std::unique_ptr<worker_transport> transport_;
  open_results open_;  // a copy: needed after each result
  frame_reader current_;
  frame_reader ahead_;  // read while a frame of `current_` is in use; comes after it
  std::shared_ptr<worker_segments> segments_ = std::make_shared<worker_segments>();
  std::shared_ptr<result_memory> memory_;
  send_queue queue_;
  notify_policy policy_;
  std::uint64_t sent_ = 0;  // frames, but for those between the two ends of the link
};

}  // namespace coterie::detail
