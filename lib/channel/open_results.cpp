// SPDX-License-Identifier: BSL-1.0
#include "channel/open_results.hpp"

#include <utility>

#include <coterie/detail/result_progress.hpp>
#include <coterie/detail/shared_word.hpp>

#include "channel/shared_bytes.hpp"

namespace coterie::detail {

namespace {

using word = shared_word;

std::uint64_t relaxed(std::uint64_t& from) { return word{from}.load(std::memory_order_relaxed); }

/// The results of a frame, without the first `count`, which have `bytes` bytes.
void leave_out(frame& of, message::values results, std::size_t count, std::size_t bytes) {
  results.first += static_cast<std::uint32_t>(count);
  results.count -= static_cast<std::uint32_t>(count);
  of.header.put(results);
  of.header.length -= bytes;
  of.payload = of.payload.subspan(bytes);
}

}  // namespace

// The worker may be killed between any two of these lines. First there are no results, then it is
// said whose they will be. And if it is killed when results have gone into the ring, before it
// comes here, they are known by the frames before them: there is one more.
//
// So the first store releases: the results have gone into the ring before. The exchange comes
// before whatever is written into the space from now on: see `read`. Other stores are relaxed: the
// count of what is whole shows what was written before it.
void open_results::begin(std::uint64_t sent, job_id job, chunk_id chunk,
                         std::size_t first) const noexcept {
  word{words_->whole}.store(0, std::memory_order_release);
  word{words_->sent}.exchange(sent, std::memory_order_acq_rel);
  word{words_->job}.store(job, std::memory_order_relaxed);
  word{words_->chunk}.store(chunk, std::memory_order_relaxed);
  word{words_->first}.store(first, std::memory_order_relaxed);
}

// Each word is read once: what was checked is what is used.
std::optional<frame> open_results::read(std::uint64_t received, byte_buffer& copy) const {
  // First of all: there are none when this changes, so what is read after it is not of those
  // before.
  if (word{words_->sent}.load(std::memory_order_acquire) != received) return std::nullopt;
  const std::uint64_t whole = result_progress::load(words_->whole);
  const std::size_t count = result_progress::count_in(whole);
  const std::size_t bytes = result_progress::bytes_in(whole);
  if (count == 0 || bytes > space_.size()) return std::nullopt;
  copy.clear();
  append_shared(copy, space_.first(bytes));
  frame found{.header = frame_header::of(
                  message::values{.job = relaxed(words_->job),
                                  .chunk = relaxed(words_->chunk),
                                  .first = static_cast<std::uint32_t>(relaxed(words_->first)),
                                  .count = static_cast<std::uint32_t>(count),
                                  .claimed = 0}),
              .payload = copy.view()};
  found.header.length = bytes;
  // A worker that goes on may have sent them in the meantime, and have begun to overwrite them. It
  // has then changed this word before. Not a load, which could come before those of the bytes. It
  // releases: the exchange in `begin` acquires, so what follows that was not read yet.
  if (word{words_->sent}.fetch_add(0, std::memory_order_release) != received) return std::nullopt;
  return found;
}

std::optional<frame> open_results_reader::check() {
  auto found = from_.read(received_, copy_);
  if (!found) return std::nullopt;
  const auto results = found->header.as<message::values>();
  if (results.count <= seen_ || found->header.length < seen_bytes_) return std::nullopt;
  const auto bytes = static_cast<std::size_t>(found->header.length);
  first_ = results.first;
  leave_out(*found, results, std::exchange(seen_, results.count),
            std::exchange(seen_bytes_, bytes));
  return found;
}

bool open_results_reader::take(frame& arrived) {
  ++received_;
  const std::size_t count = std::exchange(seen_, 0);
  const std::size_t bytes = std::exchange(seen_bytes_, 0);
  if (count == 0) return true;
  const bool has_results = arrived.header.kind == message_kind::values;
  const auto results = has_results ? arrived.header.as<message::values>() : message::values{};
  if (!has_results || results.first != first_ || results.count < count ||
      arrived.payload.size() < bytes) {
    throw bad_frame{"it sent other results than it had shown"};
  }
  leave_out(arrived, results, count, bytes);
  return results.count > count || results.busy > 0;
}

}  // namespace coterie::detail
