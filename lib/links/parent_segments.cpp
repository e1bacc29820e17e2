// SPDX-License-Identifier: BSL-1.0
#include "links/parent_segments.hpp"

#include <utility>

namespace coterie::detail {

void parent_segments::used() {
  any_ = true;
  used_at_ = runtime_.now();
}

template <class Message>
void parent_segments::announce(segment_number number, std::size_t size, send_queue& queue) {
  queue.push(
      frame_header::of(Message{.announcement = ++announcements_, .segment = number, .size = size}));
}

// ---- arguments --------------------------------------------------------------------------------

void parent_segments::send(const frame_header& header, const shared_payload& payload,
                           send_queue& queue, ring_channel& channel) {
  const segment_number segment =
      header.kind == message_kind::run ? lend(payload, queue, channel) : no_segment;
  if (segment == no_segment) return queue.push(header, payload);
  frame_header elsewhere = header;
  elsewhere.segment = segment;
  elsewhere.length = payload->size();
  queue.push(elsewhere);
}

// None if the payload lies elsewhere, or its memory cannot be handed over now.
segment_number parent_segments::lend(const shared_payload& payload, send_queue& queue,
                                     ring_channel& channel) {
  if (!payload || payload->memory() != arguments_.get()) return no_segment;
  const segment_number number = arguments_->number_of(payload->view());
  auto& segment = arguments_->at(number);
  used();
  if (!segment.known) {
    if (!channel.send_descriptor(segment.memory.descriptor())) return no_segment;
    segment.known = true;
    segment.memory.close_descriptor();
    announce<message::argument_segment>(number, segment.memory.bytes().size(), queue);
  }
  return number;
}

// ---- results ----------------------------------------------------------------------------------

bool parent_segments::take(frame& arrived, send_queue& queue, ring_channel& channel) {
  const frame_header& header = arrived.header;
  if (header.kind == message_kind::want_segment) {
    provide(header.as<message::want_segment>(), queue, channel);
    return false;
  }
  if (is_for_the_link(header.kind)) throw bad_frame{"it says of memory what only the parent says"};
  if (header.segment != no_segment) {
    if (header.kind != message_kind::values) throw bad_frame{"only results may be in memory"};
    arrived.payload = results_.payload(header);
    being_read_ = header.segment;
  }
  return true;
}

void parent_segments::provide(const message::want_segment& wish, send_queue& queue,
                              ring_channel& channel) {
  shared_memory& memory = results_.make(wish.segment, wish.size);
  if (!memory.bytes().empty() && !channel.send_descriptor(memory.descriptor())) memory = {};
  memory.close_descriptor();
  announce<message::result_segment>(static_cast<segment_number>(wish.segment),
                                    memory.bytes().size(), queue);
  used();
}

void parent_segments::release(send_queue& queue) {
  if (being_read_ == no_segment) return;
  announce<message::result_taken>(std::exchange(being_read_, no_segment), 0, queue);
  used();
}

// ---- the end ----------------------------------------------------------------------------------

void parent_segments::drop_unused(runtime::time_point before, send_queue& queue) {
  if (!any_ || used_at_ > before) return;
  arguments_->drop_unused(
      [&](segment_number number) { announce<message::argument_segment>(number, 0, queue); });
  results_.drop(
      [&](segment_number number) { announce<message::result_segment>(number, 0, queue); });
  any_ = false;
}

}  // namespace coterie::detail
