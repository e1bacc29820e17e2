// SPDX-License-Identifier: BSL-1.0

// Results that a worker shows before it sends them, in any order of what both sides do. While the
// worker keeps the rules, each result comes once, and in order. When it writes what it likes, the
// worst that the parent sees is `bad_frame`.

#include "channel/open_results.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <span>
#include <utility>

#include <coterie/detail/result_progress.hpp>

#include "fuzz/support.hpp"
#include "messages/frame.hpp"
#include "unit/frames.hpp"

namespace {

using namespace coterie::detail;
using frames::bytes;

constexpr std::size_t room = 256;

/// The frame that a worker has sent, and has not been heard of.
struct sent_frame {
  frame_header header;
  bytes payload;
};

class both_sides {
 public:
  void run(fuzz::script& orders) {
    while (!orders.empty()) {
      try {
        step(orders);
      } catch (const bad_frame&) {
        fuzz::holds(meddled_, "nothing is refused that an honest worker does");
        return;  // a link ends here
      }
    }
    if (meddled_) return;
    while (!on_the_way_.empty()) hear();
    look();
    fuzz::holds(seen_ == made_ && seen_bytes_ == made_bytes_, "no result is lost");
    fuzz::holds(ends_seen_ == ends_, "each end is told");
  }

 private:
  void step(fuzz::script& orders) {
    enum order : unsigned { add, send, show, fail, listen, glance, interfere, lie, order_count };
    switch (orders.byte() % order_count) {
      case add:
        return make(orders.up_to(40));
      case send:
        return send_values(orders.byte() % 2 == 0);
      case show:
        return begin();
      case fail:
        return send_failure();
      case listen:
        return hear();
      case glance:
        return look();
      case interfere:
        return meddle(orders);
      case lie:
        return send_lie(orders);
    }
  }

  // ---- the worker ----

  void begin() {
    if (!std::exchange(must_begin_, false)) return;
    shared_.begin(sent_, 1, 2, first_);
  }

  void make(std::size_t size) {
    begin();
    if (waiting_bytes_ + size > room) return;
    const bytes result = frames::pattern(size, static_cast<unsigned>(made_bytes_));
    std::ranges::copy(result,
                      shared_.space().begin() + static_cast<std::ptrdiff_t>(waiting_bytes_));
    waiting_bytes_ += size;
    made_bytes_ += size;
    ++waiting_;
    ++made_;
    result_progress::store(shared_.whole(), result_progress::pack(waiting_, waiting_bytes_));
    contents_.insert(contents_.end(), result.begin(), result.end());
  }

  void send_values(bool ends = false) {
    begin();
    if (waiting_ == 0) return;
    const auto from = shared_.space().first(waiting_bytes_);
    put(message::values{.job = 1,
                        .chunk = 2,
                        .first = static_cast<std::uint32_t>(first_),
                        .count = static_cast<std::uint32_t>(waiting_),
                        .claimed = 0,
                        .busy = ends ? 1U : 0U},
        {from.begin(), from.end()});
    first_ += std::exchange(waiting_, 0);
    waiting_bytes_ = 0;
    if (ends) ++ends_;
  }

  // It counts as a result of no bytes.
  void send_failure() {
    send_values();
    ++made_;
    put(message::failure{.job = 1, .chunk = 2, .item = first_++}, {});
  }

  template <class Message>
  void put(const Message& what, bytes payload) {
    frame_header header = frame_header::of(what);
    header.length = payload.size();
    on_the_way_.push_back({.header = header, .payload = std::move(payload)});
    ++sent_;
    must_begin_ = true;
  }

  void meddle(fuzz::script& orders) {
    meddled_ = true;
    const std::size_t at = orders.up_to(area_.size() - 1);
    const auto noise = orders.bytes(std::min<std::size_t>(orders.byte(), area_.size() - at));
    if (!noise.empty()) std::memcpy(&area_[at], noise.data(), noise.size());
  }

  void send_lie(fuzz::script& orders) {
    meddled_ = true;
    const bool fails = orders.byte() % 4 == 0;
    const job_id job = orders.byte() % 2;
    const std::uint32_t first = orders.number<std::uint16_t>();
    const std::uint32_t count =
        orders.byte() % 8 == 0 ? orders.number<std::uint32_t>() : orders.byte();
    const bytes payload = frames::pattern(orders.byte());
    if (fails) return put(message::failure{.job = job, .chunk = 2, .item = first}, payload);
    put(message::values{.job = job,
                        .chunk = 2,
                        .first = first,
                        .count = count,
                        .claimed = 0,
                        .busy = count % 2},
        payload);
  }

  // ---- the parent ----

  void hear() {
    if (on_the_way_.empty()) return;
    const sent_frame next = std::move(on_the_way_.front());
    on_the_way_.pop_front();
    frame arrived{.header = next.header, .payload = next.payload};
    if (reader_.take(arrived)) take(arrived);
  }

  void look() {
    if (const auto found = reader_.check()) take(*found);
  }

  void take(const frame& found) {
    fuzz::holds(found.header.length == found.payload.size(), "the length is that of what is there");
    fuzz::holds(found.payload.size() <= room, "no more than there can be");
    if (meddled_) {
      // Touches all of it.
      (void)bytes{found.payload.begin(), found.payload.end()};
      return;
    }
    // A failure begins as results do, and is one.
    auto results = found.header.as<message::values>();
    if (found.header.kind == message_kind::failure) results.count = 1;
    if (frames::ends_chunk(found.header)) ++ends_seen_;
    fuzz::holds(results.job == 1 && results.chunk == 2, "it is known whose they are");
    fuzz::holds(results.count > 0 || results.busy > 0, "there is something");
    fuzz::holds(results.first == seen_, "each result comes once, and in order");
    seen_ += results.count;
    fuzz::holds(contents_.size() - seen_bytes_ >= found.payload.size() &&
                    std::equal(found.payload.begin(), found.payload.end(),
                               contents_.begin() + static_cast<std::ptrdiff_t>(seen_bytes_)),
                "what comes is what was made");
    seen_bytes_ += found.payload.size();
  }

  alignas(64) std::array<std::byte, open_results::memory_for(room)> area_{};
  open_results shared_{area_};
  open_results_reader reader_{shared_};
  std::deque<sent_frame> on_the_way_;
  bytes contents_;

  std::uint64_t sent_ = 0;
  std::size_t first_ = 0;
  std::size_t waiting_ = 0;
  std::size_t waiting_bytes_ = 0;
  bool must_begin_ = true;
  std::size_t made_ = 0;
  std::size_t made_bytes_ = 0;

  std::size_t seen_ = 0;
  std::size_t ends_ = 0;       // chunks that results have ended
  std::size_t ends_seen_ = 0;  // of those
  std::size_t seen_bytes_ = 0;
  bool meddled_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::script orders{data, size};
  fuzz::in_little_memory([&] { both_sides{}.run(orders); });
  return 0;
}
