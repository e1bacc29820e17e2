// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include "messages/frame.hpp"

namespace coterie::detail {

// A segment is memory that parent and worker share for one large payload at a time: it is written
// once, and read where it lies. Its frame goes through the ring and tells the segment's number.
// Each link has a few for arguments, which the worker cannot write to, and a few for results, which
// the parent does not. They are used again: new pages cost more than the copy that they save.
//
// The parent makes them all, so that what a link costs is in one hand. It sends the descriptor over
// the socket, and then a frame through the ring, so that the frame never comes first. Those for
// arguments it makes when it needs them; one holds a chunk until the worker says that it is done.
// Those for results the worker asks for, and gets back when the parent has read them. Whatever
// cannot be had or handed over is no error: the payload goes through the ring, in pieces.

/// Shorter payloads go through the ring: copying them twice costs less than all the rest.
inline constexpr std::size_t least_in_segment = std::size_t{256} << 10U;

/// One that is being run, one that waits, and one that is being written.
inline constexpr std::size_t argument_segments_each = 3;
/// One that is being read by the parent, and one that is being written.
inline constexpr std::size_t result_segments_each = 2;

/// With some room, so that payloads which grow a little each time fit for a while.
constexpr std::size_t segment_size_for(std::size_t payload) {
  constexpr std::size_t step = std::size_t{64} << 10U;
  return (payload + payload / 8 + step - 1) / step * step;
}

/// The smallest of `all` that is free and has room for `least` bytes; null if there is none. One
/// without memory has room for 0.
template <class Segments, class IsFree>
auto* smallest_free(Segments& all, std::size_t least, IsFree is_free) {
  decltype(all.data()) found = nullptr;
  for (auto& each : all) {
    const std::size_t size = each.memory.bytes().size();
    if (!is_free(each) || size < least) continue;
    if (found == nullptr || size < found->memory.bytes().size()) found = &each;
  }
  return found;
}

}  // namespace coterie::detail
