// SPDX-License-Identifier: BSL-1.0
#include "processes/worker_output.hpp"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <new>
#include <string_view>
#include <utility>

namespace coterie::detail {

namespace {

// As much as a pipe holds. What a worker has left in it is had with two looks; and what another process goes
// on writing into it does not keep this one.
constexpr std::size_t as_much_as_a_pipe = std::size_t{64} << 10U;

// A stream that cannot be written has no better use for the lines.
void write_all(int stream, std::string_view text) noexcept {
  while (!text.empty()) {
    const auto count = ::write(stream, text.data(), text.size());
    if (count >= 0) {
      text.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      pollfd room{.fd = stream, .events = POLLOUT, .revents = 0};
      ::poll(&room, 1, -1);
    } else if (errno != EINTR) {
      return;
    }
  }
}

}  // namespace

worker_output::worker_output(const boost::asio::any_io_executor& executor, unique_descriptor pipe,
                             std::string tag, int stream)
    : pipe_{std::in_place, executor}, lines_{std::move(tag)}, stream_{stream} {
  pipe_->assign(pipe.get());
  pipe.release();
  pipe_->non_blocking(true);
}

bool worker_output::arrived() noexcept {
  waiting_ = false;
  if (ended_) {
    pipe_.reset();
    return false;
  }
  return pass_on();
}

// False at the end of what there will ever be.
bool worker_output::pass_on() noexcept {
  std::array<char, as_much_as_a_pipe> piece;
  ssize_t count = 0;
  do {
    count = ::read(pipe_->native_handle(), piece.data(), piece.size());
  } while (count < 0 && errno == EINTR);
  if (count < 0) return errno == EAGAIN;
  if (count == 0) return false;
  try {
    write_all(stream_, lines_.take({piece.data(), static_cast<std::size_t>(count)}));
  } catch (const std::bad_alloc&) {
    // These lines are lost, and nothing else.
  }
  return true;
}

void worker_output::stop_waiting() {
  boost::system::error_code ignored;
  if (pipe_) pipe_->cancel(ignored);
}

void worker_output::end() noexcept {
  if (std::exchange(ended_, true)) return;
  if (pass_on()) pass_on();
  try {
    write_all(stream_, lines_.rest());
  } catch (const std::bad_alloc&) {
    // As above.
  }
  stop_waiting();
  if (at_rest()) pipe_.reset();
}

void worker_output::abandon() noexcept {
  end();
  waiting_ = false;
  pipe_.reset();
}

}  // namespace coterie::detail
