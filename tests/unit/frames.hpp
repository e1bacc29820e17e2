// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "messages/frame.hpp"
#include "messages/frame_reader.hpp"

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

/// Of a message of a job, or of none; all else in it is zero.
inline coterie::detail::frame_header header(coterie::detail::message_kind kind,
                                            coterie::detail::job_id job = 0) {
  coterie::detail::frame_header made;
  made.put(coterie::detail::message::forget{job});
  made.kind = kind;
  return made;
}
/// Every message of a job begins with it.
inline coterie::detail::job_id job_of(const coterie::detail::frame_header& header) {
  return header.as<coterie::detail::message::forget>().job;
}
/// Whether a message says that a chunk is over.
inline bool ends_chunk(const coterie::detail::frame_header& header) {
  using namespace coterie::detail;
  return header.kind == message_kind::done ||
         (header.kind == message_kind::values && header.as<message::values>().busy > 0);
}

inline coterie::detail::message::values results_of(const coterie::detail::frame_header& header) {
  return header.as<coterie::detail::message::values>();
}
inline coterie::detail::message::failure failure_of(const coterie::detail::frame_header& header) {
  return header.as<coterie::detail::message::failure>();
}

/// The message that brings the first `count` items of a chunk of job 1.
inline coterie::detail::message::run chunk_of(std::size_t count,
                                              coterie::detail::chunk_id chunk = 2) {
  return {
      .job = 1, .chunk = chunk, .first = 0, .begin = 0, .end = static_cast<std::uint32_t>(count)};
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
