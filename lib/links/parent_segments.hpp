// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <memory>

#include "channel/ring_channel.hpp"
#include "links/argument_segments.hpp"
#include "links/result_segments.hpp"
#include "messages/send_queue.hpp"
#include "runtime/runtime.hpp"

namespace coterie::detail {

/// The segments of a link, and what parent and worker have to tell each other about them.
///
/// Sees every frame on its way: `send` those that go, `take` those that come. Thread safety: none.
class parent_segments {
 public:
  /// `runs_on` outlives it.
  explicit parent_segments(const runtime& runs_on) : runtime_{runs_on} {}

  [[nodiscard]] std::shared_ptr<buffer_memory> argument_memory() const { return arguments_; }

  /// Puts the frame into `queue`: alone, if its payload lies in a segment that can be lent to the
  /// worker. The sender keeps that payload until the worker is done with its chunk.
  /// `channel` takes descriptors.
  void send(const frame_header& header, const shared_payload& payload, send_queue& queue,
            ring_channel& channel);

  /// Whether the frame is for the users of the link; its payload is then made to be where it is.
  /// If not, `queue` may have an answer. Throws `bad_frame`.
  bool take(frame& arrived, send_queue& queue, ring_channel& channel);
  /// Tells the worker that what `take` found was read, if it lay in a segment.
  void release(send_queue& queue);

  /// Whether there are segments that `drop_unused` would look at.
  [[nodiscard]] bool any() const noexcept { return any_; }
  /// Gives up all, if nothing has been used since `before`. Precondition: the worker has nothing to
  /// do.
  void drop_unused(runtime::time_point before, send_queue& queue);

 private:
  segment_number lend(const shared_payload& payload, send_queue& queue, ring_channel& channel);
  void provide(const message::want_segment& wish, send_queue& queue, ring_channel& channel);
  template <class Message>
  void announce(segment_number number, std::size_t size, send_queue& queue);
  void used();

  const runtime& runtime_;
  std::shared_ptr<argument_segments> arguments_ = std::make_shared<argument_segments>();
  result_segments results_;
  segment_number being_read_ = no_segment;
  std::uint64_t announcements_ = 0;
  bool any_ = false;
  runtime::time_point used_at_{};
};

}  // namespace coterie::detail
