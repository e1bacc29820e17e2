// SPDX-License-Identifier: BSL-1.0
#include "worker/worker_link.hpp"

#include <cstdio>
#include <utility>

#include "processes/exit_status.hpp"

namespace coterie::detail {

namespace {

template <class Work>
auto believing(worker_runtime& runtime, Work work) -> decltype(work()) {
  try {
    return work();
  } catch (const bad_frame& problem) {
    std::fprintf(stderr, "coterie: the parent sent what no parent sends: %s\n", problem.what());
    runtime.exit_at_once(exit_bad_frame);
  }
}

// Whether a frame of this kind has come, or at least its header, that `next` has not returned.
template <class Condition>
bool has_one(const frame_reader& frames, Condition condition) {
  std::size_t position = 0;
  while (const auto each = frames.peek_header(position)) {
    if (condition(*each)) return true;
  }
  return false;
}

}  // namespace

worker_link::worker_link(std::unique_ptr<worker_transport> transport, worker_runtime& runtime)
    : runtime_{runtime},
      transport_{std::move(transport)},
      open_{transport_->results()},
      memory_{std::make_shared<result_memory>(open_.space(), segments_)} {}

std::optional<frame> worker_link::next() {
  guard_.check();
  return believing(runtime_, [this] {
    for (;;) {
      const auto found = take();
      if (!found || !is_for_the_link(found->header.kind)) return found;
      handle_own(found->header);
    }
  });
}

std::optional<frame> worker_link::take() {
  auto found = current_.next();
  if (!found && ahead_.in_the_middle()) {
    // What is left in `current_` was handed over before, so the order is kept.
    std::swap(current_, ahead_);
    found = current_.next();
  }
  return found;
}

bool worker_link::another_chunk_has_come() {
  return believing(runtime_, [this] {
    const auto is_chunk = [](const frame_header& each) { return each.kind == message_kind::run; };
    if (has_one(current_, is_chunk) || has_one(ahead_, is_chunk)) return true;
    if (!transport_->input_waits()) return false;
    read_ahead(false);
    return has_one(ahead_, is_chunk);
  });
}

void worker_link::wait() {
  believing(runtime_, [this] { read_into(current_, true); });
}

std::span<const std::byte> worker_link::items_of(const frame& chunk) const {
  if (chunk.header.segment == no_segment) return chunk.payload;
  return believing(runtime_, [&] { return segments_->argument(chunk.header); });
}

bool worker_link::cancelled(job_id job) {
  return believing(runtime_, [&] {
    read_ahead(false);
    return has_one(ahead_, [job](const frame_header& each) {
      return each.kind == message_kind::cancel && each.as<message::cancel>().job == job;
    });
  });
}

// Reads what has come, behind the frame that is in use.
void worker_link::read_ahead(bool may_wait) {
  if (current_.in_the_middle()) {
    // Only the first call during a chunk finds anything here; `ahead_` is then still empty.
    current_.hand_over_to(ahead_);
  }
  while (read_into(ahead_, may_wait) > 0) may_wait = false;
  std::size_t position = 0;
  while (const auto each = ahead_.peek(position)) {
    if (is_for_the_link(each->header.kind)) handle_own(each->header);
  }
}

std::size_t worker_link::read_into(frame_reader& reader, bool may_wait) {
  const std::size_t count = transport_->read(reader.space(), may_wait);
  reader.received(count);
  return count;
}

// ---- segments ---------------------------------------------------------------------------------

// A frame that was handled when it was read ahead comes again in its turn.
void worker_link::handle_own(const frame_header& header) {
  segments_->take(header, [this] { return transport_->take_descriptor(); });
}

void worker_link::send_results(const message::values& what, byte_buffer& bytes,
                               std::size_t already_sent) {
  const bool in_segment = bytes.memory() != nullptr && bytes.data() != memory_->open().data();
  if (!in_segment && !move_to_segment(bytes)) return send(what, bytes.view().subspan(already_sent));
  // On a link with segments nothing was sent already.
  frame_header elsewhere = frame_header::of(what);
  elsewhere.segment = segments_->send(bytes.view());
  elsewhere.length = bytes.size();
  ++sent_;
  queue_.push(elsewhere);
  bytes = byte_buffer{memory_};
}

// Fails if the bytes are few, or if the parent has no memory for them.
bool worker_link::move_to_segment(byte_buffer& bytes) {
  if (bytes.size() < least_in_segment || !transport_->has_segments()) return false;
  return believing(runtime_, [&] {
    read_ahead(false);
    // The parent reads results one after the other, and gives each segment back.
    while (segments_->none_free()) {
      flush();
      read_ahead(true);
    }
    byte_buffer moved{segments_};
    moved.reserve(bytes.size());
    if (moved.memory() == nullptr) {
      ask_for_segment(bytes.size());
      moved = byte_buffer{segments_};
      moved.reserve(bytes.size());
    }
    if (moved.memory() == nullptr) return false;
    moved.append(bytes.data(), bytes.size());
    bytes = std::move(moved);
    return true;
  });
}

void worker_link::ask_for_segment(std::size_t size) {
  const segment_number number = segments_->give_up_one();
  queue_.push(frame_header::of(message::want_segment{.segment = number, .size = size}));
  while (segments_->asked_for(number)) {
    flush();
    read_ahead(true);
  }
}

// ---- what goes --------------------------------------------------------------------------------

void worker_link::publish() {
  guard_.check();
  if (queue_.empty()) return;
  policy_.published();
  believing(runtime_, [this] {
    while (!queue_.empty()) queue_.sent(transport_->write(queue_.pieces()));
  });
}

void worker_link::flush() {
  publish();
  // A parent that sleeps and was notified of everything is left to sleep.
  if (policy_.has_news()) policy_.notified(transport_->notify());
}

// Where all CPUs are busy, the kernel may choose the CPU of this process for the parent, which then
// waits until the time slice of this process ends: 1 to 3 ms on Linux 6.18. A parent that has read
// everything needs no CPU, and the time could go to any other process.
void worker_link::yield_to_parent() {
  if (!transport_->all_is_read()) runtime_.yield();
}

}  // namespace coterie::detail
