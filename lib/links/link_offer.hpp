// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace coterie::detail {

/// The first bytes that a parent sends to a worker: how frames are to travel. With an offer of rings
/// comes the descriptor of their memory, with one of a socket that of a `begun_counter`.
struct link_offer {
  enum class way : unsigned char { socket = 'S', rings = 'R' };

  way frames_travel = way::socket;
  unsigned char log2_capacity = 0;  // of each ring
  std::uint32_t busy_poll = 0;      // nanoseconds
};
static_assert(sizeof(link_offer) == 8);

}  // namespace coterie::detail
