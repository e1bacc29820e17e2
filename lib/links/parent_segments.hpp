// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <unordered_map>

#include "links/argument_segments.hpp"
#include "links/result_segments.hpp"
#include "messages/send_queue.hpp"

namespace coterie::detail {

/// The segments of a link, and what parent and worker have to tell each other about them.
///
/// Sees every frame on its way: `send` those that go, `take` those that come. Thread safety: none.
class parent_segments {
 public:
  using clock = std::chrono::steady_clock;

  [[nodiscard]] std::shared_ptr<buffer_memory> argument_memory() const { return arguments_; }

  /// Puts the frame into `queue`: alone, if its payload lies in a segment that can be lent to the worker.
  /// `socket` takes descriptors, and wakes the worker with each.
  void send(const frame_header& header, const shared_payload& payload, send_queue& queue,
            int socket);

  /// Whether the frame is for those who use the link; its payload is then made to be where it is.
  /// If not, `queue` may have an answer. Throws `bad_frame`.
  bool take(frame& arrived, send_queue& queue, int socket);
  /// The worker will not read the chunk any more: it is done with it, or will not begin it.
  void chunk_over(chunk_id chunk);
  /// Tells the worker that what `take` found was read, if it lay in a segment.
  void release(send_queue& queue);

  /// Whether the worker has something to do.
  [[nodiscard]] bool chunks_under_way() const noexcept { return chunks_under_way_ > 0; }
  /// Whether there are segments that `drop_unused` would look at.
  [[nodiscard]] bool any() const noexcept { return any_; }
  /// Gives up all that nobody has used for `unused`.
  void drop_unused(clock::duration unused, send_queue& queue);
  /// Lets go of what the worker was reading: it is no more.
  void worker_ended() { lent_.clear(); }

 private:
  segment_number lend(const shared_payload& payload, send_queue& queue, int socket);
  void provide(const message::want_segment& wish, send_queue& queue, int socket);
  template <class Message>
  void announce(segment_number number, std::size_t size, send_queue& queue);
  void used();

  std::shared_ptr<argument_segments> arguments_ = std::make_shared<argument_segments>();
  result_segments results_;
  // What the worker reads in place: nobody else may write there before it is done, even if nobody wants
  // the results any more.
  std::unordered_map<chunk_id, shared_payload> lent_;
  segment_number being_read_ = no_segment;
  std::size_t chunks_under_way_ = 0;
  std::uint64_t announcements_ = 0;
  bool any_ = false;
  clock::time_point used_at_{};
};

}  // namespace coterie::detail
