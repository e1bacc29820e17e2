// SPDX-License-Identifier: BSL-1.0
#include "processes/worker_output.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <new>
#include <string_view>
#include <utility>

namespace coterie::detail {

namespace {

constexpr std::size_t longest_piece = std::size_t{64} << 10U;

// A stream that cannot be written is an error here, and does not end the program, while this lives.
// The signal goes to the thread that writes.
class no_broken_pipes {
 public:
  no_broken_pipes() noexcept {
    ::sigemptyset(&signal_);
    ::sigaddset(&signal_, SIGPIPE);
    sigset_t pending;
    ::sigpending(&pending);
    was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
    ::pthread_sigmask(SIG_BLOCK, &signal_, &before_);
  }
  no_broken_pipes(const no_broken_pipes&) = delete;
  no_broken_pipes& operator=(const no_broken_pipes&) = delete;
  ~no_broken_pipes() {
    constexpr timespec at_once{};
    while (!was_pending_ && ::sigtimedwait(&signal_, nullptr, &at_once) < 0 && errno == EINTR) {
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t signal_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

bool write_all(int stream, std::string_view text) noexcept {
  const no_broken_pipes guard;
  while (!text.empty()) {
    const auto count = ::write(stream, text.data(), text.size());
    if (count >= 0) {
      text.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      pollfd room{.fd = stream, .events = POLLOUT, .revents = 0};
      ::poll(&room, 1, -1);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

}  // namespace

worker_output::worker_output(const boost::asio::any_io_executor& executor, unique_descriptor pipe,
                             std::string tag, int stream)
    : pipe_{std::in_place, executor},
      piece_{std::make_unique_for_overwrite<char[]>(longest_piece)},
      lines_{std::move(tag)},
      stream_{stream} {
  pipe_->assign(pipe.get());
  pipe.release();
  pipe_->non_blocking(true);
}

bool worker_output::arrived() noexcept {
  waiting_ = false;
  if (!ended_ && pass_on() != found::the_end) return true;
  pipe_.reset();
  return false;
}

worker_output::found worker_output::pass_on() noexcept {
  ssize_t count = 0;
  do {
    count = ::read(pipe_->native_handle(), piece_.get(), longest_piece);
  } while (count < 0 && errno == EINTR);
  if (count < 0 && errno == EAGAIN) return found::nothing;
  if (count <= 0) return found::the_end;
  try {
    const auto lines = lines_.take({piece_.get(), static_cast<std::size_t>(count)});
    return write_all(stream_, lines) ? found::something : found::the_end;
  } catch (const std::bad_alloc&) {
    return found::something;  // these lines are lost, and nothing else
  }
}

void worker_output::stop_waiting() {
  boost::system::error_code ignored;
  if (pipe_) pipe_->cancel(ignored);
}

void worker_output::end() noexcept {
  if (std::exchange(ended_, true)) return;
  if (pipe_) {
    // All that a pipe can hold, and no more: another process may go on writing into it.
    const int most = ::fcntl(pipe_->native_handle(), F_GETPIPE_SZ);
    auto pieces = 1 + static_cast<std::size_t>(std::max(most, 0)) / longest_piece;
    while (pieces > 0 && pass_on() == found::something) --pieces;
  }
  try {
    write_all(stream_, lines_.rest());
  } catch (const std::bad_alloc&) {
    ended_ = true;  // it is lost, and nothing else
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
