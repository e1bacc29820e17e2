// SPDX-License-Identifier: BSL-1.0
#include "links/ring_link.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <new>
#include <utility>

#include <boost/asio/post.hpp>

#include "channel/ring_pair.hpp"
#include "timing/timing.hpp"

namespace coterie::detail {

ring_link::ring_link(const boost::asio::any_io_executor& executor, unique_descriptor socket,
                     shared_memory memory, const ring_settings& settings)
    : socket_{executor, std::move(socket)},
      memory_{std::move(memory)},
      out_{ring_pair{memory_.bytes(), settings.capacity}.to_worker},
      in_{ring_pair{memory_.bytes(), settings.capacity}.to_parent},
      open_{ring_pair{memory_.bytes(), settings.capacity}.results},
      claims_{ring_pair{memory_.bytes(), settings.capacity}.claimed},
      timer_{executor},
      executor_{executor},
      poll_{settings.busy_poll},
      poll_turn_{timing::poll_turn / settings.links} {}

// ---- what comes -------------------------------------------------------------------------------

void ring_link::async_receive(std::shared_ptr<link_listener> listener) {
  if (polling_ || in_.prepare_sleep()) {
    socket_.async_read(doorbells_, std::move(listener));
  } else {
    socket_.async_read_nothing(std::move(listener));
  }
}

void ring_link::received(std::size_t count) {
  socket_.read_ended();
  if (socket_.closed()) return;
  in_.stop_sleeping();
  left_in_turn_ = turn;
  const auto rung = std::span{doorbells_}.first(count);
  if (std::ranges::any_of(rung, [](std::byte each) { return each != doorbell; })) {
    problem_ = "it wrote to a socket that carries no messages";
  }
  if (std::exchange(waiting_for_room_, false)) {
    out_.stop_waiting();
    write();
  }
}

// A worker whose next item is long may have results that it has not sent, or sent without a bell. And one
// that has written over the flag by which this side says that it sleeps may never ring again: hence the
// slow looks.
void ring_link::look_again(const std::shared_ptr<link_listener>& listener, bool lively) {
  timer_.set(lively ? next_look() : timing::idle_link_check, listener);
  start_polling(listener);
}

std::chrono::nanoseconds ring_link::next_look() const {
  return claims_.may_be_silent() ? timing::link_check : timing::idle_link_check;
}

bool ring_link::looked(const std::shared_ptr<link_listener>& listener, look_for why) {
  if (socket_.closed()) return false;
  return why == look_for::what_comes_soon ? polled(listener) : looked_by_timer(listener);
}

bool ring_link::looked_by_timer(const std::shared_ptr<link_listener>& listener) {
  if (!timer_.is_due(listener)) return false;
  left_in_turn_ = turn;
  look_at_open_ = true;
  if (!claims_.makes_sense()) problem_ = "it wrote over its claims in the shared memory";
  if (segments_.any()) {
    // A burst of large messages leaves no memory behind.
    segments_.drop_unused(timing::unused_segments, queue_);
    write();
    if (segments_.any()) timer_.set(timing::unused_segments, listener);
  }
  return true;
}

// ---- polling ----------------------------------------------------------------------------------

// The worker has something to do, and may answer soon.
void ring_link::start_polling(const std::shared_ptr<link_listener>& listener) {
  if (!segments_.chunks_under_way() || !poll_.begin(std::chrono::steady_clock::now())) return;
  if (std::exchange(polling_, true)) return;
  in_.stop_sleeping();
  poll_later(listener);
}

// A short look each time: the event loop has others to serve.
void ring_link::poll_later(const std::shared_ptr<link_listener>& listener) {
  boost::asio::post(executor_, [listener] { listener->time_to_look(look_for::what_comes_soon); });
}

bool ring_link::polled(const std::shared_ptr<link_listener>& listener) {
  using clock = std::chrono::steady_clock;
  const auto here = [this] { return in_.readable() > 0; };
  try {
    const bool soon = problem_.empty() && segments_.chunks_under_way();
    bool found = soon && poll_.look(poll_turn_, clock::now, here);
    if (!found && (!soon || poll_.over(clock::now()))) {
      if (in_.prepare_sleep()) {
        polling_ = false;
        return false;
      }
      // It came in between. Whether to sleep is for the next turn to say.
      found = true;
    }
    poll_later(listener);
    if (found) left_in_turn_ = turn;
    return found;
  } catch (const bad_frame& problem) {
    polling_ = false;
    give_up(problem.what());
    return true;
  }
}

std::optional<frame> ring_link::next() {
  if (!problem_.empty()) throw bad_frame{problem_};
  const std::size_t unsent = queue_.size();
  segments_.release(queue_);
  std::optional<frame> found;
  for (;;) {
    found = reader_.next();
    if (found && segments_.take(*found, queue_, socket_.descriptor())) {
      if (found->header.kind == message_kind::done) {
        claims_.ended(found->header.as<message::done>().chunk);
      }
      if (open_.take(*found)) break;
      segments_.release(queue_);
    }
    if (!found && (left_in_turn_ == 0 || !take_in())) break;
  }
  if (!found && left_in_turn_ > 0 && std::exchange(look_at_open_, false)) found = open_.look();
  // The worker may be waiting for the answer.
  if (queue_.size() != unsent) write();
  return found;
}

// Everything is copied before it is looked at: the worker may change its memory at any time.
bool ring_link::take_in() {
  std::span<std::byte> space;
  try {
    space = reader_.space();
  } catch (const std::bad_alloc&) {
    throw bad_frame{"it announced a message that does not fit into memory"};
  }
  const std::size_t count = in_.read(space);
  if (count == 0) return false;
  reader_.received(count);
  left_in_turn_ -= std::min(count, left_in_turn_);
  if (in_.must_wake_writer()) wake();
  return true;
}

bool ring_link::drain() {
  left_in_turn_ = turn;
  try {
    if (!problem_.empty()) return false;
    if (in_.readable() > 0) return true;
  } catch (const bad_frame&) {
    return false;
  }
  // Then what the worker had not sent. It may have ended in the middle of sending it: the ring ends with a
  // part of that frame then.
  look_at_open_ = true;
  return !std::exchange(drained_, true);
}

std::optional<std::size_t> ring_link::begun(chunk_id chunk, std::size_t done) {
  if (!problem_.empty()) return std::nullopt;
  return claims_.begun(chunk, done);
}

// ---- what goes --------------------------------------------------------------------------------

void ring_link::send(const frame_header& header, const shared_payload& payload) {
  if (socket_.closed()) return;
  if (header.kind == message_kind::run) {
    const auto items = header.as<message::run>();
    claims_.sent(items.chunk, items.begin, items.end);
  }
  segments_.send(header, payload, queue_, socket_.descriptor());
}

std::optional<kept_by_worker> ring_link::take_back(std::size_t least, std::size_t unit,
                                                   spare_next spare) {
  if (socket_.closed() || !problem_.empty()) return std::nullopt;
  const auto left = claims_.take_back(least, unit, spare);
  if (!left) return std::nullopt;
  for (const chunk_id chunk : left->revoked) segments_.chunk_over(chunk);
  return kept_by_worker{.chunk = left->begun, .items = left->kept};
}

void ring_link::flush(const std::shared_ptr<link_listener>& listener) {
  if (socket_.closed() || queue_.empty()) return;
  write();
  timer_.set_at_latest(next_look(), listener);
  start_polling(listener);
}

void ring_link::write() {
  if (socket_.closed() || !problem_.empty() || waiting_for_room_ || queue_.empty()) return;
  try {
    for (;;) {
      queue_.sent(out_.write(queue_.pieces()));
      if (queue_.empty()) break;
      // The reader must be up before this side waits for it.
      if (out_.must_wake_reader()) wake();
      // Told by a doorbell, which the pending read takes.
      if (out_.prepare_wait(std::min(queue_.size(), out_.capacity() / 2))) {
        waiting_for_room_ = true;
        return;
      }
    }
    if (out_.must_wake_reader()) wake();
  } catch (const bad_frame& problem) {
    give_up(problem.what());
  }
}

void ring_link::output_possible(const std::shared_ptr<link_listener>&) {}

void ring_link::wake() { ring_doorbell(socket_.descriptor()); }

// Found out while sending: the receiving side sees the end of the socket, and then tells why.
void ring_link::give_up(const char* problem) {
  problem_ = problem;
  queue_ = send_queue{};
  ::shutdown(socket_.descriptor(), SHUT_RDWR);
}

void ring_link::close() {
  queue_ = send_queue{};
  segments_.worker_ended();
  timer_.cancel();
  socket_.close();
}

void ring_link::abandon() noexcept {
  timer_.abandon();
  socket_.abandon();
}

}  // namespace coterie::detail
