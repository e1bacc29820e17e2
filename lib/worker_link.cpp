// SPDX-License-Identifier: BSL-1.0
#include "worker_link.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "exit_status.hpp"

namespace coterie::detail {

namespace {

// The parent is gone: there is nobody left to tell, and nothing left to do.
[[noreturn]] void leave_without_parent() { ::_exit(0); }

template <class Work>
auto believing(Work work) -> decltype(work()) {
  try {
    return work();
  } catch (const bad_frame& problem) {
    std::fprintf(stderr, "coterie: the parent sent what no parent sends: %s\n", problem.what());
    ::_exit(exit_bad_frame);
  }
}

}  // namespace

std::optional<frame> worker_link::next() {
  return believing([this] {
    auto found = current_.next();
    if (!found && ahead_.in_the_middle()) {
      // What is left in `current_` was handed over before, so the order is kept.
      std::swap(current_, ahead_);
      found = current_.next();
    }
    return found;
  });
}

void worker_link::wait() { read_into(current_, true); }

bool worker_link::cancelled(job_id job) {
  return believing([&] {
    if (current_.in_the_middle()) {
      // Only the first look of a chunk finds anything here; `ahead_` is then still empty.
      current_.hand_over_to(ahead_);
    }
    while (read_into(ahead_, false) > 0) {
    }
    std::size_t position = 0;
    while (const auto each = ahead_.peek(position)) {
      if (each->header.kind == frame_kind::cancel && each->header.job == job) return true;
    }
    return false;
  });
}

std::size_t worker_link::read_into(frame_reader& reader, bool may_wait) {
  const auto space = reader.space();
  for (;;) {
    const auto count = ::recv(descriptor_, space.data(), space.size(), may_wait ? 0 : MSG_DONTWAIT);
    if (count > 0) {
      reader.received(static_cast<std::size_t>(count));
      return static_cast<std::size_t>(count);
    }
    if (count == 0) leave_without_parent();
    if (errno == EINTR) continue;
    if (!may_wait && errno == EAGAIN) return 0;
    leave_without_parent();
  }
}

void worker_link::flush() {
  while (!queue_.empty()) {
    const auto pieces = queue_.pieces();
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(pieces.data());
    message.msg_iovlen = pieces.size();
    const auto count = ::sendmsg(descriptor_, &message, MSG_NOSIGNAL);
    if (count >= 0) {
      queue_.sent(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      leave_without_parent();
    }
  }
}

}  // namespace coterie::detail
