// SPDX-License-Identifier: BSL-1.0

// Items that a worker claims while its parent takes them back: each is one side's. And what has
// begun when the worker ends, between any two of its steps.

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

#include "channel/claims.hpp"
#include "doorbell.hpp"
#include "modelled_memory.hpp"
#include "scenario.hpp"

namespace memory_model {

namespace {

using namespace coterie::detail;

/// Two chunks are sent at first, and one after the first taking back.
template <class Derived, std::size_t unit>
struct claims_suite : rl::test_suite<Derived, 2> {
  static constexpr std::size_t chunks = 3;
  static constexpr std::size_t items = 3;

  claims_suite() {
    memory::instance().add(place.data(), shared);
    sent.store(2, rl::mo_relaxed, RL_INFO);
    for (std::size_t chunk = 0; chunk < 2; ++chunk) parent.sent();
    left_of.fill(items);
  }

  /// The worker, until it ends.
  void run_items() {
    claimer worker{claims{place}};
    for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
      if (sent.load(rl::mo_acquire, RL_INFO) <= chunk) return;
      if (!worker.begin(0)) continue;
      for (std::size_t item = 0; item < items && worker.claim_up_to(item + 1, unit); ++item) {
        count(begun_of[chunk]);
        count(done_of[chunk]);
      }
      count(told_of[chunk]);
    }
  }
  // What the worker publishes by another word: nothing, if it has ended.
  static void count(std::size_t& what) {
    if (life::instance().step(std::memory_order_release)) ++what;
  }

  void take_back_items() {
    revoke();
    parent.sent();
    sent.store(3, rl::mo_release, RL_INFO);
    revoke();
  }
  void revoke() {
    for (int tries = 0; tries < 8; ++tries) {
      const auto seen = parent.claimed();
      require(seen.has_value());
      const std::size_t known = sent.load(rl::mo_relaxed, RL_INFO);
      if (!parent.revoke(*seen)) continue;
      for (std::size_t chunk = seen->chunk; chunk < known; ++chunk) left_of[chunk] = 0;
      if (seen->chunk == 0) return;
      std::size_t& kept = left_of[seen->chunk - 1];
      kept = std::min(kept, end_of_unit(seen->items, unit));
      return;
    }
  }

  alignas(64) static inline std::array<std::byte, claims::memory_size> place{};
  scene fresh;
  cell shared;
  cell sent;  // chunks that the ring has brought to the worker
  revoker parent{claims{place}};
  // Of each chunk: what the parent believes to be the worker's, and what the worker did.
  std::array<std::size_t, chunks> left_of{};
  std::array<std::size_t, chunks> begun_of{};
  std::array<std::size_t, chunks> done_of{};
  std::array<std::size_t, chunks> told_of{};
};

template <std::size_t unit>
struct each_item_is_one_sides : claims_suite<each_item_is_one_sides<unit>, unit> {
  void thread(unsigned index) {
    if (index == 0) {
      this->run_items();
    } else {
      this->take_back_items();
    }
  }
  void after() {
    // The worker may have looked for the third chunk before it was sent.
    if (this->done_of[2] == 0) this->left_of[2] = 0;
    require(this->done_of == this->left_of);
  }
};

/// The worker may end at any time; its parent is told by the system.
template <std::size_t unit>
struct what_has_begun_is_known : claims_suite<what_has_begun_is_known<unit>, unit> {
  using base = claims_suite<what_has_begun_is_known<unit>, unit>;

  what_has_begun_is_known() { life::instance().at_most(20); }

  void thread(unsigned index) {
    if (index == 0) {
      this->run_items();
      end.ring();
    } else {
      this->take_back_items();
      end.wait();
      look_at_what_is_left();
    }
  }
  void look_at_what_is_left() {
    const auto claimed = this->parent.claimed();
    require(claimed.has_value());
    for (std::size_t chunk = 0; chunk < base::chunks; ++chunk) {
      const std::size_t begun = this->begun_of[chunk];
      const std::size_t done = this->done_of[chunk];
      require(begun <= this->left_of[chunk]);
      if (this->left_of[chunk] == 0) continue;  // nothing of it was the worker's
      if (this->told_of[chunk] != 0) continue;
      // It tells the end of a chunk before it begins the next.
      require(chunk + 1 >= claimed->chunk);
      const std::size_t known = chunk + 1 == claimed->chunk ? claimed->items : 0;
      require(begun <= known);
      require(known <= done + 1);
    }
  }

  doorbell end;
};

}  // namespace

std::vector<scenario> claim_scenarios() {
  return {
      random<each_item_is_one_sides<1>>(
          "given two sides, when items are claimed and revoked, then each is one side's"),
      random<each_item_is_one_sides<2>>(
          "given items that stay together, when they are claimed and revoked, then each is one "
          "side's"),
      random<what_has_begun_is_known<1>>(
          "given a worker that ends, when its parent looks, then it knows what has begun"),
      random<what_has_begun_is_known<2>>(
          "given items that stay together, when the worker ends, then its parent knows what has "
          "begun"),
  };
}

}  // namespace memory_model
