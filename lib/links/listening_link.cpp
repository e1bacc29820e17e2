// SPDX-License-Identifier: BSL-1.0
#include "links/listening_link.hpp"

#include <new>
#include <utility>

namespace coterie::detail {

listening_link::listening_link(runtime& runs_on, unique_descriptor socket)
    : runtime_{runs_on}, socket_{runs_on.watch(std::move(socket))} {}

void listening_link::start(const std::shared_ptr<link_events>& told) {
  told_ = told.get();
  owner_ = told;
  listen();
}

// Whether the link was closed. Tells when nothing holds it any more.
bool listening_link::is_over() {
  if (!socket_->closed()) return false;
  if (socket_->at_rest()) told_->at_rest();
  return true;
}

void listening_link::room_came() {
  if (!is_over()) write_on();
}

void listening_link::bytes_came(std::size_t count, bool ended) {
  if (is_over()) return;
  take_in(count);
  if (finishing_) return conclude();
  tell();
  if (refused_ || finishing_ || socket_->closed()) return;
  if (!ended) return listen();
  lost_ = true;
  told_->lost();
}

bool listening_link::tell() {
  if (!tells()) return false;
  took_frames_ = false;
  if (!told_->frames_came()) {
    refused_ = true;
  } else if (took_frames_ && !socket_->closed()) {
    if (const auto next = told_->expects(); next != expected_news::none) heard(next);
  }
  return took_frames_;
}

void listening_link::listen() {
  try {
    return read_socket();
  } catch (const bad_frame& problem) {
    disbelieve(problem.what());
  } catch (const std::bad_alloc&) {
    // A worker that has as much to say as it announces would have had the room for it.
    disbelieve("it announced a message that does not fit into memory");
  }
  // Not here: this may be a call of `start`.
  runtime_.post([owner = owner_.lock(), this] {
    if (!socket_->closed()) tell();
  });
}

void listening_link::disbelieve(std::string problem) {
  if (problem_.empty()) problem_ = std::move(problem);
}

std::optional<frame> listening_link::next() {
  if (socket_->closed()) return std::nullopt;
  if (!problem_.empty()) throw bad_frame{problem_};
  try {
    auto found = take_frame();
    if (found) took_frames_ = true;
    return found;
  } catch (const bad_frame& problem) {
    // What comes behind it is not believed either.
    disbelieve(problem.what());
    throw;
  }
}

void listening_link::finish() {
  if (std::exchange(finishing_, true) || socket_->closed()) return;
  // A read may have taken something from the socket already: its end is waited for.
  if (socket_->reads()) return socket_->cancel();
  runtime_.post([owner = owner_.lock(), this] {
    if (!socket_->closed()) conclude();
  });
}

void listening_link::conclude() {
  take_in_the_rest();
  if (!refused_) refused_ = !told_->frames_came();
  if (!socket_->closed()) told_->finished();
}

void listening_link::close() { socket_->close(); }

}  // namespace coterie::detail
