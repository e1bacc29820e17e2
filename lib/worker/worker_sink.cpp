// SPDX-License-Identifier: BSL-1.0
#include "worker/worker_sink.hpp"

#include <algorithm>

#include <coterie/detail/exception_wire.hpp>

#include "worker/standard_output.hpp"

namespace coterie::detail {

namespace {

// The clock is read about once in this time, which makes its cost vanish beside the items'.
constexpr std::chrono::nanoseconds stride = std::chrono::microseconds{20};
constexpr std::size_t longest_stride = std::size_t{1} << 16U;
// Results that are longer than this in all do not wait for more.
constexpr std::size_t much = std::size_t{256} << 10U;

}  // namespace

void worker_sink::begin(job_id job, chunk_id chunk, std::size_t count) {
  // The pace of one job says nothing about the next.
  if (job != job_) allowed_ = 1;
  job_ = job;
  chunk_ = chunk;
  count_ = count;
  first_ = 0;
  now_ = begun_ = clock::now();
}

void worker_sink::end() {
  push_values();
  now_ = clock::now();
  frame_header header;
  header.kind = frame_kind::done;
  header.job = job_;
  header.chunk = chunk_;
  header.count = static_cast<std::uint64_t>((now_ - begun_).count());
  link_.send(header, {});
}

void worker_sink::fail_rest() {
  while (first_ + waiting_ < count_) failed();
}

void worker_sink::succeeded(std::size_t count) {
  waiting_ += count;
  whole_ = results_.size();
  if (whole_ >= much) push_values();
}

void worker_sink::failed() {
  results_.resize_down(whole_);
  push_values();
  problem_.clear();
  encode_current_exception(problem_);
  frame_header header;
  header.kind = frame_kind::failure;
  header.job = job_;
  header.chunk = chunk_;
  header.first = first_;
  header.count = 1;
  link_.send(header, problem_.view());
  ++first_;
}

void worker_sink::push_values() {
  if (waiting_ > 0) {
    frame_header header;
    header.kind = frame_kind::values;
    header.job = job_;
    header.chunk = chunk_;
    header.first = first_;
    header.count = waiting_;
    link_.send_results(header, results_);
    first_ += waiting_;
  }
  waiting_ = 0;
  whole_ = 0;
  empty_results();
}

// The usual memory is kept, what was needed for large results is not: a segment is for whoever needs it
// next, and the heap has better uses.
void worker_sink::empty_results() {
  if (results_.memory() != nullptr || results_.capacity() > 4 * much) {
    results_ = byte_buffer{link_.result_memory()};
  } else {
    results_.clear();
  }
}

std::size_t worker_sink::allowance() {
  const auto before = now_;
  now_ = clock::now();
  const auto took = std::max(now_ - before, std::chrono::nanoseconds{1});
  if (first_ + waiting_ > 0) {
    const auto fitting = static_cast<std::size_t>(stride.count()) * allowed_ /
                         static_cast<std::size_t>(took.count());
    allowed_ = std::clamp<std::size_t>(fitting, 1, std::min(allowed_ * 8, longest_stride));
  }
  if (now_ - last_flush_ >= longest_wait || link_.unsent() >= much) flush();
  if (now_ - last_look_ >= look_interval) {
    last_look_ = now_;
    if (link_.cancelled(job_)) return 0;
  }
  return allowed_;
}

void worker_sink::flush() {
  push_values();
  flush_standard_output();
  link_.flush();
  last_flush_ = now_;
}

}  // namespace coterie::detail
