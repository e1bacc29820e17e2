// SPDX-License-Identifier: BSL-1.0

// Segments are written plainly. Frames in the rings, and claims, say which side may touch which:
// all else is a race.

#include <array>
#include <cstddef>
#include <span>

#include "channel/byte_ring.hpp"
#include "channel/claims.hpp"
#include "modelled_memory.hpp"
#include "modelled_ring.hpp"
#include "scenario.hpp"

namespace memory_model {

namespace {

using namespace coterie::detail;

/// Chunks of one item each, whose arguments lie in one of two segments. The parent writes the next
/// one into memory that it got back: because the worker has answered the chunk, or because it took
/// the chunk back. Results lie in one segment, which the worker writes when the parent says that it
/// was read.
struct segments_are_one_sides : rl::test_suite<segments_are_one_sides, 2> {
  static constexpr unsigned chunks = 4;
  static constexpr std::size_t capacity = 8;
  static constexpr unsigned result_taken = 0x0f;  // a frame of the parent's that is no chunk

  segments_are_one_sides() { memory::instance().add(claims_place.data(), claimed); }

  void thread(unsigned index) {
    if (index == 0) {
      work();
    } else {
      give();
    }
  }

  // ---- the parent ----

  void give() {
    for (int turn = 0; turn < 6; ++turn) {
      switch (rl::rand(3)) {
        case 0:
          give_one();
          break;
        case 1:
          revoke();
          break;
        default:
          receive();
      }
    }
  }
  void give_one() {
    if (given == chunks) return;
    for (unsigned segment = 0; segment < holder.size(); ++segment) {
      if (holder[segment] != 0) continue;
      const unsigned chunk = ++given;
      holder[segment] = chunk;
      arguments[segment](RL_INFO) = argument_of(chunk);
      parent.sent();
      require(send(to_worker, chunk << 4U | segment));
      return;
    }
  }
  void revoke() {
    const auto seen = parent.claimed();
    require(seen.has_value());
    if (!parent.revoke(*seen)) return;
    for (auto each = static_cast<unsigned>(seen->chunk) + 1; each <= given; ++each) free_of(each);
  }
  void receive() {
    const unsigned chunk = next(from_worker);
    if (chunk == 0) return;
    const bool has_result = (chunk >> 4U) != 0;
    free_of(chunk & 0xfU);
    if (!has_result) return;
    require(result(RL_INFO) == result_of(chunk & 0xfU));
    require(send(to_worker, result_taken));
  }
  void free_of(unsigned chunk) {
    for (unsigned& each : holder) {
      if (each == chunk) each = 0;
    }
  }

  // ---- the worker ----

  void work() {
    for (int turn = 0; turn < 8; ++turn) {
      const unsigned told = next(from_parent);
      if (told == 0) continue;
      if (told == result_taken) {
        result_is_free = true;
      } else if (worker.begin(0)) {
        run(told >> 4U, told & 0xfU);
      }
    }
  }
  void run(unsigned chunk, unsigned segment) {
    // It may read the argument before it claims the item.
    require(arguments[segment](RL_INFO) == argument_of(chunk));
    const bool is_mine = worker.claim_up_to(1) && result_is_free;
    if (is_mine) {
      result(RL_INFO) = result_of(chunk);
      result_is_free = false;
    }
    require(send(to_parent, (is_mine ? 0x10U : 0U) | chunk));
  }

  // ---- frames of a byte ----

  static bool send(ring_writer& out, unsigned told) {
    const auto byte = static_cast<std::byte>(told);
    return out.write({&byte, 1}) == 1;
  }
  static unsigned next(ring_reader& in) {
    std::byte told{};
    return in.read({&told, 1}) == 1 ? static_cast<unsigned>(told) : 0;
  }
  static unsigned argument_of(unsigned chunk) { return 100 + chunk; }
  static unsigned result_of(unsigned chunk) { return 200 + chunk; }

  alignas(64) static inline std::array<std::byte, claims::memory_size> claims_place{};
  scene fresh;
  cell claimed;
  modelled_ring<capacity, 0> there;
  modelled_ring<capacity, 1> back;
  std::array<plain, 2> arguments;
  plain result;

  // The parent's.
  ring_writer to_worker{there.ring()};
  ring_reader from_worker{back.ring()};
  revoker parent{claims{claims_place}};
  std::array<unsigned, 2> holder{};  // of each segment the chunk, or 0
  unsigned given = 0;
  // The worker's.
  ring_reader from_parent{there.ring()};
  ring_writer to_parent{back.ring()};
  claimer worker{claims{claims_place}};
  bool result_is_free = true;
};

}  // namespace

std::vector<scenario> segment_scenarios() {
  return {
      random<segments_are_one_sides>(
          "given segments that are used again, when chunks come and go, then no side races"),
  };
}

}  // namespace memory_model
