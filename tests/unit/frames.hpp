// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include "frames/frame.hpp"
#include "frames/frame_reader.hpp"

/// Frames made, and read, by hand.
namespace frames {

using bytes = std::vector<std::byte>;

/// Bytes that tell where they belong.
inline bytes pattern(std::size_t size, unsigned seed = 0) {
  bytes all(size);
  for (std::size_t at = 0; at < size; ++at) {
    all[at] = static_cast<std::byte>((at * 7 + at / 251 + seed) & 0xffU);
  }
  return all;
}

inline coterie::detail::frame_header header(coterie::detail::frame_kind kind,
                                            coterie::detail::job_id job = 0) {
  coterie::detail::frame_header made;
  made.kind = kind;
  made.job = job;
  return made;
}

/// Appends a frame as it goes over the wire.
inline void append(bytes& to, coterie::detail::frame_header made, const bytes& payload) {
  made.length = payload.size();
  const auto* const raw = reinterpret_cast<const std::byte*>(&made);
  to.insert(to.end(), raw, raw + sizeof made);
  to.insert(to.end(), payload.begin(), payload.end());
  to.resize(to.size() + coterie::detail::padded(payload.size()) - payload.size());
}

inline void feed(coterie::detail::frame_reader& reader, std::span<const std::byte> all) {
  while (!all.empty()) {
    const auto space = reader.space();
    const std::size_t count = std::min(space.size(), all.size());
    std::memcpy(space.data(), all.data(), count);
    reader.received(count);
    all = all.subspan(count);
  }
}

inline bool same(std::span<const std::byte> one, const bytes& other) {
  return std::ranges::equal(one, other);
}

}  // namespace frames
