// SPDX-License-Identifier: BSL-1.0
#include "links/ring_link.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <new>
#include <utility>

#include "channel/ring_pair.hpp"
#include "timing/timing.hpp"

namespace coterie::detail {

namespace {

std::chrono::nanoseconds first_check(expected_news next) {
  return next == expected_news::silent ? timing::link_check : timing::idle_link_check;
}

}  // namespace

ring_link::ring_link(runtime& runs_on, unique_descriptor socket, shared_memory memory,
                     const ring_settings& settings)
    : listening_link{runs_on, std::move(socket)},
      memory_{std::move(memory)},
      capacity_{settings.capacity},
      channel_{this->socket().descriptor(), ring_pair{memory_.bytes(), capacity_}.to_parent,
               ring_pair{memory_.bytes(), capacity_}.to_worker},
      open_{ring_pair{memory_.bytes(), capacity_}.results},
      claims_{ring_pair{memory_.bytes(), capacity_}.claimed},
      segments_{runs_on},
      timer_{runs_on},
      poll_{settings.busy_poll},
      poll_turn_{timing::poll_turn / settings.links} {}

// ---- what comes -------------------------------------------------------------------------------

void ring_link::read_socket() {
  if (polling_ || channel_.prepare_sleep()) {
    socket().async_read(doorbells_, as_told());
  } else {
    socket().async_read_nothing(as_told());
  }
}

void ring_link::take_in(std::size_t count) {
  channel_.stop_sleeping();
  left_in_turn_ = turn;
  try {
    ring_channel::received(std::span{doorbells_}.first(count));
  } catch (const bad_frame& problem) {
    disbelieve(problem.what());
  }
  write_on();
}

// What was not sent lies among the open results. The worker may have ended in the middle of sending
// it: the ring ends with a part of that frame then.
void ring_link::take_in_the_rest() {
  left_in_turn_ = capacity_;
  check_open_ = true;
  worker_ended_ = true;
}

std::optional<frame> ring_link::take_frame() {
  const std::size_t unsent = queue_.size();
  segments_.release(queue_);
  std::optional<frame> found;
  for (;;) {
    found = reader_.next();
    if (found && segments_.take(*found, queue_, channel_)) {
      if (open_.take(*found)) break;
      segments_.release(queue_);
    }
    if (!found && (left_in_turn_ == 0 || !read_ring())) break;
  }
  const bool all_read = left_in_turn_ > 0 || worker_ended_;
  if (!found && all_read && std::exchange(check_open_, false)) found = open_.check();
  // The worker may be waiting for the answer.
  if (queue_.size() != unsent) write();
  return found;
}

// Everything is copied before it is looked at: the worker may change its memory at any time.
bool ring_link::read_ring() {
  std::span<std::byte> space;
  try {
    space = reader_.space();
  } catch (const std::bad_alloc&) {
    throw bad_frame{"it announced a message that does not fit into memory"};
  }
  const std::size_t count = channel_.read(space);
  if (count == 0) return false;
  reader_.received(count);
  left_in_turn_ -= std::min(count, left_in_turn_);
  return true;
}

// ---- what is claimed --------------------------------------------------------------------------

std::optional<claimed_items> ring_link::claimed() {
  if (socket().closed() || !believed()) return std::nullopt;
  return claims_.claimed();
}

bool ring_link::revoke(const claimed_items& seen) {
  return !socket().closed() && believed() && claims_.revoke(seen);
}

// ---- when to check ----------------------------------------------------------------------------

// Has a function called in a turn of its own.
auto ring_link::later(void (ring_link::*what)()) {
  return [this, what] { return [owner = as_told(), this, what] { (this->*what)(); }; };
}

// A worker whose next item is long may have results that it has not sent, or sent without a bell.
void ring_link::heard(expected_news next) {
  check_in_ = first_check(next);
  timer_.set(check_in_, later(&ring_link::check));
  start_polling(next);
}

void ring_link::check() {
  if (socket().closed() || !tells() || !timer_.is_due(later(&ring_link::check))) return;
  left_in_turn_ = turn;
  check_open_ = true;
  if (!claims_.claimed()) disbelieve("it wrote over its claims in the shared memory");
  // A burst of large messages leaves no memory behind. As long as the worker has something to do,
  // it may be writing into what it has.
  if (segments_.any() && !holds_work()) {
    segments_.drop_unused(runs_on().now() - timing::unused_segments, queue_);
    write();
  }
  if (segments_.any()) timer_.set(timing::unused_segments, later(&ring_link::check));
  write_on();
  const bool found = tell();
  if (socket().closed() || !tells()) return;
  const bool all_read = announce_sleep();
  if (all_read && (found || !holds_work())) return;
  // Items that take longer than those before are not announced one by one. So a result waits here
  // no longer than it was worked on.
  check_in_ = all_read ? std::min(2 * check_in_, timing::idle_link_check) : timing::link_check;
  timer_.set(check_in_, later(&ring_link::check));
}

// The worker may have written over the flag by which this side says that it sleeps, and would not
// ring again. So the flag is set anew, and the checks never end. Returns whether all that the ring
// has was read.
bool ring_link::announce_sleep() {
  try {
    return polling_ || channel_.prepare_sleep();
  } catch (const bad_frame& problem) {
    disbelieve(problem.what());
    return false;
  }
}

// ---- polling ----------------------------------------------------------------------------------

// The worker has something to do, and may answer soon.
void ring_link::start_polling(expected_news next) {
  if (next == expected_news::none || poll_.limit() == std::chrono::nanoseconds::zero()) return;
  if (!poll_.begin(runs_on().now())) return;
  if (std::exchange(polling_, true)) return;
  channel_.stop_sleeping();
  runs_on().post(later(&ring_link::poll)());
}

// A short poll each time: the event loop has others to serve.
void ring_link::poll() {
  if (socket().closed() || !tells()) return;
  try {
    const bool found = found_by_polling();
    if (polling_) runs_on().post(later(&ring_link::poll)());
    if (!found) return;
    left_in_turn_ = turn;
  } catch (const bad_frame& problem) {
    polling_ = false;
    give_up(problem.what());
  }
  tell();
}

bool ring_link::found_by_polling() {
  const bool soon = believed() && holds_work();
  const auto now = [this] { return runs_on().now(); };
  if (soon && poll_.poll(poll_turn_, now, [this] { return channel_.readable() > 0; })) return true;
  if (soon && !poll_.over(now())) return false;
  // It may come in between. Then the next turn says whether to sleep.
  polling_ = !channel_.prepare_sleep();
  return polling_;
}

// ---- what goes --------------------------------------------------------------------------------

void ring_link::send(const frame_header& header, const shared_payload& payload) {
  if (socket().closed()) return;
  if (header.kind == message_kind::run) claims_.sent();
  segments_.send(header, payload, queue_, channel_);
}

void ring_link::flush() {
  if (socket().closed() || queue_.empty()) return;
  write();
  const expected_news next = expects();
  check_in_ = std::min(check_in_, first_check(next));
  timer_.set_at_latest(check_in_, later(&ring_link::check));
  start_polling(next);
}

void ring_link::write() {
  if (socket().closed() || !believed() || waiting_for_room_ || queue_.empty()) return;
  try {
    for (;;) {
      queue_.sent(channel_.write(queue_.pieces()));
      if (queue_.empty()) break;
      // Told by a doorbell, which the pending read takes.
      if (channel_.prepare_wait(queue_.size())) {
        waiting_for_room_ = true;
        return;
      }
    }
    channel_.notify();
  } catch (const bad_frame& problem) {
    give_up(problem.what());
  }
}

// A worker that has written over the flag by which this side waits for room does not ring: so this
// is tried whenever there is an occasion.
void ring_link::write_on() {
  if (!std::exchange(waiting_for_room_, false)) return;
  channel_.stop_waiting();
  write();
}

// Found out while sending: the read sees the end of the socket, and then it is told why.
void ring_link::give_up(const char* problem) {
  disbelieve(problem);
  queue_ = send_queue{};
  ::shutdown(socket().descriptor(), SHUT_RDWR);
  channel_.notify_of_end();
}

// ---- the end ----------------------------------------------------------------------------------

void ring_link::close() {
  queue_ = send_queue{};
  timer_.cancel();
  listening_link::close();
  channel_.notify_of_end();
}

void ring_link::abandon() noexcept {
  timer_.abandon();
  listening_link::abandon();
}

}  // namespace coterie::detail
