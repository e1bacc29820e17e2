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

/// The worker's end of its link: frames both ways. Ends the worker when the parent is gone, or
/// sends what makes no sense; or when this is not the process in which the link was made.
class worker_link {
 public:
  worker_link(std::unique_ptr<worker_transport> transport, worker_runtime& runtime);

  /// The next frame, if one is here already; valid until the next call.
  std::optional<frame> next();
  /// To be asked when code of the program has run.
  [[nodiscard]] const fork_guard& guard() const noexcept { return guard_; }
  /// The items of a chunk, where they lie. Throws if they lie where this process cannot read them.
  [[nodiscard]] std::span<const std::byte> items_of(const frame& chunk) const;
  /// Whether there is a chunk behind the frame that was taken last; does not disturb that.
  [[nodiscard]] bool another_chunk_has_come();
  /// Waits until bytes come.
  void wait();

  /// Looks, without waiting, whether the parent has cancelled `job`; does not disturb the frame
  /// that was taken last.
  bool cancelled(job_id job);

  template <class Message>
  void send(const Message& what, std::span<const std::byte> payload = {}) {
    ++sent_;
    queue_.push(frame_header::of(what), payload);
  }
  /// Where results had best be encoded.
  [[nodiscard]] std::shared_ptr<buffer_memory> memory_for_results() const { return memory_; }
  /// Where results lie until they are sent, in the parent's sight or told to it from time to time.
  [[nodiscard]] const open_results& open() const noexcept { return open_; }
  /// Whether the parent has them even if this process ends now.
  [[nodiscard]] bool results_survive() const noexcept { return transport_->results_survive(); }
  /// What is encoded next are results of these items, which may lie there while another item runs.
  /// Precondition: everything is published.
  void begin_results(job_id job, chunk_id chunk, std::size_t first) {
    transport_->begin_results(sent_, job, chunk, first);
  }
  /// To be called before anything is sent after that. Those that are returned have been sent.
  [[nodiscard]] told_results end_results() { return transport_->end_results(); }
  /// To be told of each chunk that comes, with its first item, before anything is done about it.
  /// False: it has been taken back.
  [[nodiscard]] bool begin_chunk(std::size_t first) { return transport_->begin_chunk(first); }
  /// Claims the items of that chunk before the one with the index `end`, before they are run.
  /// False: all that were not claimed have been taken back, but for the rest of a unit that was
  /// begun.
  [[nodiscard]] bool claim_items_up_to(std::size_t end, std::size_t unit) {
    return transport_->claim_up_to(end, unit);
  }
  /// Sends results, without the first `told` bytes. If they are large, `bytes` may be the parent's
  /// afterwards, and this may wait until the parent has taken earlier ones.
  void send_results(const message::values& what, byte_buffer& bytes, std::size_t told);
  [[nodiscard]] std::size_t unsent() const noexcept { return queue_.size(); }
  /// Sends what waits: it arrives even if this process ends now. The parent is not notified. If no
  /// `flush` follows soon, it checks by itself.
  void publish();
  /// Sends what waits, and notifies the parent.
  void flush();
  /// What is known of that.
  [[nodiscard]] notify_policy& policy() noexcept { return policy_; }
  /// Yields the CPU, unless the parent has read all that was sent.
  void yield_to_parent();

 private:
  std::optional<frame> take();
  std::size_t read_into(frame_reader& reader, bool may_wait);
  void look_ahead(bool may_wait);
  void take_for_the_link(const frame_header& told);
  bool move_to_segment(byte_buffer& bytes);
  void ask_for_segment(std::size_t size);

  fork_guard guard_;
  worker_runtime& runtime_;
  std::unique_ptr<worker_transport> transport_;
  open_results open_;  // asked for after each result
  frame_reader current_;
  frame_reader ahead_;  // read while a frame of `current_` is in use; comes after it
  std::shared_ptr<worker_segments> segments_ = std::make_shared<worker_segments>();
  std::shared_ptr<result_memory> memory_;
  send_queue queue_;
  notify_policy policy_;
  std::uint64_t sent_ = 0;  // frames, but for those between the two ends of the link
};

}  // namespace coterie::detail
