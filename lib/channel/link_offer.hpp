// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace coterie::detail {

/// Random bytes that a parent gives to the process which it has started, and to no other. It
/// believes what knows them.
using link_secret = std::array<std::byte, 16>;

/// Throws `boost::system::system_error`.
link_secret make_secret();

/// The first bytes that a parent sends to a worker: how frames are to travel. With an offer of
/// rings comes the descriptor of their memory, with one of a socket that of a `begun_counter`.
struct link_offer {
  enum class way : unsigned char { socket = 'S', rings = 'R' };

  way frames_travel = way::socket;
  unsigned char log2_capacity = 0;  // of each ring
  std::uint16_t unused = 0;         // what is sent has no gaps
  std::uint32_t busy_poll = 0;      // nanoseconds
  link_secret secret{};             // comes back with the worker's greeting
};
static_assert(sizeof(link_offer) == 24);

}  // namespace coterie::detail
