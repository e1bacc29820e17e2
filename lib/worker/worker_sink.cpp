// SPDX-License-Identifier: BSL-1.0
#include "worker/worker_sink.hpp"

#include <algorithm>
#include <utility>

#include <coterie/detail/exception_wire.hpp>

#include "messages/claimed_items.hpp"
#include "worker/standard_output.hpp"

namespace coterie::detail {

namespace {

// So many results do not wait for more, even if they have no bytes.
constexpr std::size_t many = std::size_t{1} << 20U;

}  // namespace

bool worker_sink::begin(const message::run& items, const manner& how) {
  if (!link_.begin_chunk(items.begin)) return false;
  // The pace of one job says nothing about the next.
  if (items.job != job_) pace_.forget();
  job_ = items.job;
  chunk_ = items.chunk;
  how_ = how;
  first_ = begun_with_ = claimed_ = items.begin;
  count_ = items.end;
  publish();
  const auto now = runtime_.now();
  pace_.begin_chunk(now);
  // The parent should send more before this chunk is done. It also relies on this: it is notified
  // of everything that was done before the last chunk that it has sent.
  if (!link_.another_chunk_has_come()) {
    link_.flush();
    policy_.flushed(now);
  }
  return true;
}

void worker_sink::end() {
  const auto busy = static_cast<std::uint64_t>(pace_.busy(read_clock()).count());
  // Where a frame of results has room for it, it tells the end as well.
  const bool fits = std::in_range<std::uint32_t>(busy);
  const bool told =
      queue_values(0, fits ? std::max(static_cast<std::uint32_t>(busy), std::uint32_t{1}) : 0);
  if (!told || !fits) link_.send(message::done{.job = job_, .chunk = chunk_, .busy = busy});
  link_.publish();
}

void worker_sink::fail_rest() {
  runtime_.require_running();
  claim(count_);
  while (first_ + waiting_ < claimed_) failed();
}

result_progress worker_sink::progress() {
  std::uint64_t& word = progress_word();
  result_progress::store(word, result_progress::pack(waiting_, whole_));
  row_ = &word;
  return {word, waiting_, whole_};
}

void worker_sink::succeeded(std::size_t count) {
  row_ = nullptr;
  waiting_ += count;
  whole_ = results_.size();
  // Before the parent can see the last of the claimed results: it may then end this process.
  if (first_ + waiting_ == claimed_) {
    link_.guard().check();
    flush_standard_output();
  }
  if (!are_open()) return push_values();
  result_progress::store(progress_word(), result_progress::pack(waiting_, whole_));
  // The next results must have room, so that they are open too.
  const bool full = whole_ > 0 && whole_ + most_in_a_row > results_.capacity();
  if (full || waiting_ >= many) push_values();
}

// Whether the results are open. Those of functions that return nothing are.
bool worker_sink::are_open() const {
  return results_.data() == nullptr || results_.data() == link_.open().space().data();
}

std::uint64_t& worker_sink::progress_word() {
  return are_open() ? link_.open().whole() : uncounted_;
}

void worker_sink::failed() {
  runtime_.require_running();
  row_ = nullptr;
  link_.guard().check();
  flush_standard_output();
  results_.resize_down(whole_);
  queue_values();
  problem_.clear();
  encode_current_exception(problem_);
  link_.send(message::failure{.job = job_, .chunk = chunk_, .item = first_}, problem_.view());
  ++first_;
  publish();
}

// The frame may claim the next items as well.
void worker_sink::push_values(std::size_t claim_behind) {
  link_.guard().check();
  queue_values(claim_behind);
  publish();
}

// Returns whether there are any that were not told yet.
bool worker_sink::queue_values(std::size_t claim_behind, std::uint32_t busy) {
  const told_results told = link_.end_results();
  const bool any = waiting_ > told.count;
  if (any) {
    if (claim_behind > 0) claimed_ = first_ + waiting_ + claim_behind;
    link_.send_results({.job = job_,
                        .chunk = chunk_,
                        .first = static_cast<std::uint32_t>(first_ + told.count),
                        .count = static_cast<std::uint32_t>(waiting_ - told.count),
                        .claimed = static_cast<std::uint32_t>(claim_behind),
                        .busy = busy},
                       results_, told.bytes);
  }
  first_ += waiting_;
  waiting_ = 0;
  whole_ = 0;
  empty_results();
  return any;
}

void worker_sink::publish() {
  link_.publish();
  if (link_.results_survive() || may_wait()) link_.begin_results(job_, chunk_, first_);
}

// Whether results of this chunk may stay unsent while another item runs.
bool worker_sink::may_wait() const { return how_.chunksize != 1 && first_ + 1 < count_; }

// The usual memory is kept, memory for large results is not: a segment is free for other results,
// the heap is not held for nothing, and the next results may be open again.
void worker_sink::empty_results() {
  if (are_open()) {
    results_.clear();
  } else {
    results_ = byte_buffer{link_.memory_for_results()};
  }
}

std::size_t worker_sink::allowance() {
  const auto now = read_clock();
  const std::size_t allowed = pace_.measure(now);
  if (policy_.may_yield(now)) link_.yield_to_parent();
  if (policy_.must_flush(now, how_.longest_wait, link_.unsent())) flush(now);
  if (policy_.must_check(now) && link_.cancelled(job_)) return 0;
  const std::size_t at = first_ + waiting_;
  std::size_t granted = std::min(allowed, count_ - at);
  if (!link_.results_survive() && how_.chunksize > 0) {
    granted = std::min(granted, how_.chunksize - at % how_.chunksize);
    if (at % how_.chunksize == 0 && at > begun_with_) push_values(granted);
  }
  claim(at + granted);
  granted = std::min(granted, claimed_ - at);
  pace_.grant(granted);
  return granted;
}

// Claims as many as are not revoked. A chunk of given size runs on one worker as a whole, but only
// items that are about to run are claimed: if this process ends, the others have not begun.
void worker_sink::claim(std::size_t end) {
  if (end <= claimed_) return;
  const std::size_t unit = std::max<std::size_t>(how_.chunksize, 1);
  if (link_.claim_items_up_to(end, unit)) {
    claimed_ = end;
  } else if (end = std::min(end, end_of_unit(claimed_, unit)); end > claimed_) {
    if (link_.claim_items_up_to(end, unit)) claimed_ = end;
  }
}

// The program's code has run since the last reading, and may have forked.
worker_runtime::time_point worker_sink::read_clock() {
  const auto now = runtime_.now();
  link_.guard().check();
  return now;
}

void worker_sink::flush(worker_runtime::time_point now) {
  push_values();
  link_.flush();
  policy_.flushed(now);
}

}  // namespace coterie::detail
