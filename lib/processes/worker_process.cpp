// SPDX-License-Identifier: BSL-1.0
#include "processes/worker_process.hpp"

namespace coterie::detail {

worker_process::worker_process(boost::asio::any_io_executor executor, pid_t pid,
                               unique_descriptor pidfd, ends_with_parent what)
    : pid_{pid}, child_{child_handle{.pid = pid, .pidfd = pidfd.get(), .ends = what}} {
  try {
    if (pidfd) {
      descriptor_.emplace(std::move(executor), pidfd.get());
      pidfd.release();
    } else {
      timer_.emplace(std::move(executor));
    }
  } catch (...) {
    child_->kill_and_reap();
    throw;
  }
}

worker_process::~worker_process() { abandon(); }

void worker_process::kill() noexcept {
  if (child_) child_->kill();
}

void worker_process::end() noexcept {
  if (!child_) return;
  child_->kill_and_reap();
  child_.reset();
  // A wait that goes on ends by itself, now that there is nothing to wait for.
  if (at_rest()) give_back();
}

std::optional<int> worker_process::waited() noexcept {
  waiting_ = false;
  if (child_) return child_->try_to_reap();
  give_back();
  return std::nullopt;
}

void worker_process::stop_waiting() {
  boost::system::error_code ignored;
  if (descriptor_) descriptor_->cancel(ignored);
  if (timer_) timer_->cancel();
}

void worker_process::abandon() noexcept {
  waiting_ = false;
  end();
  give_back();
}

void worker_process::give_back() noexcept {
  descriptor_.reset();
  timer_.reset();
}

}  // namespace coterie::detail
