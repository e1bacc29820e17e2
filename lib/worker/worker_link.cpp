// SPDX-License-Identifier: BSL-1.0
#include "worker/worker_link.hpp"

#include <unistd.h>

#include <cstdio>
#include <utility>

#include "processes/exit_status.hpp"

namespace coterie::detail {

namespace {

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

void worker_link::wait() {
  believing([this] { read_into(current_, true); });
}

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
  const std::size_t count = transport_->read(reader.space(), may_wait);
  reader.received(count);
  return count;
}

void worker_link::publish() {
  believing([this] {
    while (!queue_.empty()) queue_.sent(transport_->write(queue_.pieces()));
  });
}

void worker_link::flush() {
  publish();
  transport_->notify();
}

}  // namespace coterie::detail
