// SPDX-License-Identifier: BSL-1.0

// Both sides of `claims`, and the ledger by which the parent decides, in any order of what they do.
// While the worker keeps the rules, each item is either claimed or revoked, and the parent knows
// which. When it writes what it likes, the parent still takes nothing back that is not there.

#include "channel/claims.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <ranges>
#include <span>
#include <vector>

#include "fuzz/support.hpp"
#include "schedule/ledger.hpp"
#include "schedule/revocation.hpp"

namespace {

using namespace coterie::detail;

struct sent_chunk {
  chunk_id id = 0;
  std::size_t claimed = 0;  // items before this one
  std::size_t count = 0;    // less what was revoked
  std::size_t sent = 0;     // as many as the worker knows of

  [[nodiscard]] bool over() const { return claimed >= count; }
};

class both_sides {
 public:
  void run(fuzz::script& orders) {
    unit_ = 1 + orders.up_to(19);
    if (orders.byte() % 16 == 1) go_far(orders.number<std::uint16_t>());
    while (!orders.empty()) step(orders);
  }

 private:
  void step(fuzz::script& orders) {
    enum order : unsigned { give, start, go_on, leave, listen, take, interfere, order_count };
    switch (orders.byte() % order_count) {
      case give: {
        const std::size_t first = size(orders);
        return send(first, first + size(orders));
      }
      case start:
        return begin();
      case go_on:
        return claim(size(orders));
      case leave:
        return end();
      case listen:
        return hear();
      case take: {
        const std::size_t least = orders.up_to(20);
        return revoke(least, orders.byte() % 2 == 0);
      }
      case interfere:
        return meddle(orders);
    }
  }

  // Few mostly, and sometimes more than can be told.
  static std::size_t size(fuzz::script& orders) {
    const std::size_t few = orders.byte();
    return few < 0xf8 ? few : claims::state::most_items - 4 + few % 8;
  }

  // Numbers of chunks go round.
  void go_far(unsigned chunks) {
    const chunk_id id = given(0, 1);
    for (; chunks > 0; --chunks) {
      ledger_.sent(id);
      revoker_.sent();
      fuzz::holds(claimer_.begin(0) && claimer_.claim_up_to(1, unit_), "nothing was revoked");
    }
    ledger_.close(id);
  }

  // ---- the parent ----

  void send(std::size_t first, std::size_t count) {
    if (under_way_.size() >= most_under_way) return;
    const chunk_id id = given(first, count);
    under_way_.push_back({.id = id, .claimed = first, .count = count, .sent = count});
    unread_.push_back(id);
    ledger_.sent(id);
    revoker_.sent();
  }
  // Another worker has ended the items before the first.
  chunk_id given(std::size_t first, std::size_t count) {
    const chunk_id id = ledger_.open(1, first == 0 ? one : other, 0);
    ledger_.fill(id, count, {}, {});
    if (first == 0) return id;
    fuzz::holds(ledger_.items_done(other, id, first), "a chunk has its items");
    static_cast<void>(ledger_.revoke(other, 0, 0));
    ledger_.give(id, one);
    return id;
  }

  void hear() {
    if (done_.empty()) return;
    if (ledger_.find(done_.front()) != nullptr) ledger_.close(done_.front());
    std::erase_if(under_way_, [&](const sent_chunk& each) { return each.id == done_.front(); });
    done_.pop_front();
    fuzz::holds(meddled_ || revoker_.claimed().has_value(), "an honest worker is believed");
  }

  struct left {
    kept_items kept;
    std::vector<chunk_id> revoked;  // as a whole
  };

  std::optional<left> carry_out(const action::revoke& what) {
    const auto seen = revoker_.claimed();
    if (!seen) return std::nullopt;
    const auto kept = kept_after(what, *seen, ledger_);
    if (!kept || !revoker_.revoke(*seen)) return std::nullopt;
    left found{.kept = *kept, .revoked = {}};
    for (const chunk_id each : ledger_.revoke(one, kept->chunk, kept->items)) {
      if (std::ranges::count(under_way_, each, &sent_chunk::id) > 0) found.revoked.push_back(each);
      ledger_.forget(each);
    }
    return found;
  }

  void revoke(std::size_t least, bool spares_next) {
    const auto left = carry_out({.victim = one,
                                 .min = least,
                                 .unit = unit_,
                                 .spares_next = spares_next,
                                 .only_if_cheap = false});
    if (meddled_) {
      if (left) is_there(*left);
      return;
    }
    const auto at = std::ranges::find(under_way_, begun_, &sent_chunk::id);
    const bool is_at_one = at != under_way_.end();
    const auto behind = is_at_one ? at + 1 : under_way_.begin();
    std::size_t free = is_at_one ? at->count - known_of(*at) : 0;
    for (auto each = behind; each != under_way_.end(); ++each) free += each->count - each->claimed;
    if (!is_at_one && behind != under_way_.end() && spares_next) {
      free -= std::min(behind->count - behind->claimed, unit_);
    }
    fuzz::holds(left.has_value() == (free >= least && !under_way_.empty()),
                "what is free is taken, if it is enough");
    if (!left) return;

    fuzz::holds(left->kept.chunk == (is_at_one ? at->id : 0), "it is known where the worker is");
    fuzz::holds(!is_at_one || left->kept.items == known_of(*at),
                "the units that it claimed are left to it");
    fuzz::holds(std::ranges::equal(left->revoked, std::ranges::subrange(behind, under_way_.end()),
                                   {}, {}, &sent_chunk::id),
                "the rest is taken");
    if (is_at_one) at->count = left->kept.items;
    taken_.insert(taken_.end(), left->revoked.begin(), left->revoked.end());
    under_way_.erase(behind, under_way_.end());
    fuzz::holds(revoker_.claimed().has_value(), "what this side said makes sense");
  }

  // Where more are claimed than can be told, all are.
  [[nodiscard]] std::size_t known_of(const sent_chunk& chunk) const {
    if (chunk.claimed >= claims::state::most_items) return chunk.count;
    return std::min((chunk.claimed + unit_ - 1) / unit_ * unit_, chunk.count);
  }

  void is_there(const left& left) {
    const auto find = [&](chunk_id id) {
      const auto found = std::ranges::find(under_way_, id, &sent_chunk::id);
      fuzz::holds(found != under_way_.end(), "nothing is taken twice");
      return found;
    };
    if (left.kept.chunk != 0) {
      const auto kept = find(left.kept.chunk);
      fuzz::holds(left.kept.items <= kept->count, "no more is left than there was");
      kept->count = left.kept.items;
    }
    for (const chunk_id each : left.revoked) under_way_.erase(find(each));
  }

  // ---- the worker ----

  void begin() {
    if (at_work_ || unread_.empty()) return;
    const chunk_id next = unread_.front();
    unread_.pop_front();
    const auto chunk = std::ranges::find(under_way_, next, &sent_chunk::id);
    const bool may = claimer_.begin(chunk != under_way_.end() ? chunk->claimed : 0);
    if (!meddled_) {
      fuzz::holds(may == !std::ranges::count(taken_, next), "what was taken is not begun");
    }
    if (!may) return;
    at_work_ = true;
    begun_ = next;
  }

  void claim(std::size_t more) {
    const auto chunk = std::ranges::find(under_way_, begun_, &sent_chunk::id);
    if (!at_work_ || chunk == under_way_.end()) return;
    const std::size_t end = chunk->claimed + std::min(more, chunk->sent - chunk->claimed);
    const bool may = claimer_.claim_up_to(end, unit_);
    if (meddled_) return;
    fuzz::holds(may == (end <= chunk->count),
                "what is not revoked can be claimed, and nothing else");
    if (may) chunk->claimed = end;
  }

  void end() {
    const auto chunk = std::ranges::find(under_way_, begun_, &sent_chunk::id);
    if (!at_work_ || (!meddled_ && chunk != under_way_.end() && !chunk->over())) return;
    at_work_ = false;
    done_.push_back(begun_);
  }

  void meddle(fuzz::script& orders) {
    meddled_ = true;
    auto word = std::bit_cast<claims::state>(area_.word);
    switch (orders.byte() % 4) {
      case 0:
        word.items += orders.number<std::uint32_t>();
        break;
      case 1:
        word.begun = static_cast<std::uint16_t>(word.begun + orders.byte() - 0x80U);
        break;
      case 2:
        word.revoked = static_cast<std::uint16_t>(word.revoked + orders.byte() - 0x80U);
        break;
      default:
        word = std::bit_cast<claims::state>(orders.number<std::uint64_t>());
    }
    area_.word = std::bit_cast<std::uint64_t>(word);
  }

  static constexpr std::size_t most_under_way = 64;
  static constexpr worker_id one = 1;
  static constexpr worker_id other = 2;

  struct alignas(64) area {
    std::uint64_t word = 0;
    std::array<std::byte, claims::memory_size - sizeof word> rest{};
  };
  area area_;
  claims shared_{std::as_writable_bytes(std::span{&area_, 1})};
  ledger ledger_;
  revoker revoker_{shared_};
  claimer claimer_{shared_};

  // As the parent knows them: sent, and neither heard to have ended nor revoked.
  std::vector<sent_chunk> under_way_;
  std::deque<chunk_id> unread_;
  std::deque<chunk_id> done_;    // and not heard of
  std::vector<chunk_id> taken_;  // as a whole
  chunk_id begun_ = 0;
  std::size_t unit_ = 1;  // of items that are one worker's
  bool at_work_ = false;
  bool meddled_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::script orders{data, size};
  fuzz::in_little_memory([&] { both_sides{}.run(orders); });
  return 0;
}
