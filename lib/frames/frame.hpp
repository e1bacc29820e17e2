// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>

#include <coterie/detail/byte_buffer.hpp>

#include "frames/identifiers.hpp"

namespace coterie::detail {

/// What a frame says, and what is in those fields of its header that are not named for all.
///
/// Parent to worker: setup, define, run, forget, cancel, stop. Worker to parent: hello, ready,
/// not_ready, values, failure, done, left. The rest is between the two ends of a link that have
/// segments.
enum class frame_kind : std::uint16_t {
  // The number of workers, initializer, finalizer. `first`: processes that had the rank before.
  setup = 1,
  // The function of a job. `first`: 1 if each result is waited for; `count`: chunksize; `chunk`:
  // seed.
  define,
  // Items of a chunk. `first`: of the call's items, the chunk's first; `count`: which of them, a
  // `run_range`.
  run,
  forget,  // no more chunks of a job will come: drop its function
  cancel,  // nobody wants the rest of a job: skip what is queued, stop what runs, and forget
  stop,    // run the finalizer and leave
  // The secret of the link and the build identity. `count`: protocol version.
  hello,
  ready,      // the initializer has run
  not_ready,  // the initializer threw: an encoded exception
  // Results of consecutive items. `first`: of the chunk's items, the first of them; `count`: how many,
  // a `values_count`.
  values,
  failure,  // the encoded exception of one item, with its index in the chunk as `first`; `count`: 1
  done,     // a chunk is over. `count`: nanoseconds for which the worker was busy with it
  left,     // the finalizer threw: an encoded exception
  // Of segments `first` is the number, and `count` the size in bytes.
  argument_segment,  // parent: the next descriptor is the memory of this segment; 0 bytes: it is gone
  result_segment,    // parent: the same; 0 bytes: it is gone, or cannot be had
  want_segment,      // worker: results of so many bytes need a segment
  result_taken,      // parent: the results in this segment have been read
};

inline constexpr std::uint32_t protocol_version = 1;

/// Names memory that carries one large payload; see `segments.hpp`.
using segment_number = std::uint16_t;
inline constexpr segment_number no_segment = 0;

/// The fixed part of a frame. Both ends are the same build on the same machine, so it travels as it
/// lies in memory.
struct frame_header {
  static constexpr std::uint32_t right_magic = 0x31544f43;  // "COT1"

  std::uint32_t magic = right_magic;
  frame_kind kind{};
  segment_number segment = no_segment;  // where the payload lies, if it does not follow
  std::uint64_t length = 0;             // bytes of payload
  job_id job = 0;
  chunk_id chunk = 0;
  std::uint64_t first = 0;  // as its kind says
  std::uint64_t count = 0;  // likewise
};
static_assert(sizeof(frame_header) == 48);

/// Which of the items that a chunk's payload holds are to be run: those from the index `begin` on,
/// before `end`. Two numbers in one field, neither above `most_items`.
struct run_range {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  [[nodiscard]] constexpr std::uint64_t packed() const { return std::uint64_t{end} << 32U | begin; }
  static constexpr run_range of(std::uint64_t packed) {
    return {.begin = static_cast<std::uint32_t>(packed),
            .end = static_cast<std::uint32_t>(packed >> 32U)};
  }
};

/// How many results come, and how many items behind them are about to run: over a socket that is told with
/// them where it can be. Two numbers in one field; the second is for the link, and 0 for those who use it.
struct values_count {
  std::uint32_t results = 0;
  std::uint32_t claimed = 0;

  [[nodiscard]] constexpr std::uint64_t packed() const {
    return std::uint64_t{claimed} << 32U | results;
  }
  static constexpr values_count of(std::uint64_t packed) {
    return {.results = static_cast<std::uint32_t>(packed),
            .claimed = static_cast<std::uint32_t>(packed >> 32U)};
  }
};

/// Frames begin at multiples of this, so that a payload may be read in place.
inline constexpr std::size_t frame_alignment = 16;
static_assert(sizeof(frame_header) % frame_alignment == 0);

/// The longest payload that is believed: 64 GiB.
inline constexpr std::uint64_t longest_payload = std::uint64_t{64} << 30U;

constexpr std::size_t padded(std::size_t length) {
  return (length + frame_alignment - 1) / frame_alignment * frame_alignment;
}

/// How many bytes follow a header whose length was found possible.
inline std::size_t bytes_behind(const frame_header& header) {
  return header.segment == no_segment ? padded(static_cast<std::size_t>(header.length)) : 0;
}

/// Whether a frame is between the two ends of a link, and of no interest to those who use it.
constexpr bool is_for_the_link(frame_kind kind) { return kind > frame_kind::left; }

/// A frame as received: the payload lies in the reader's buffer, or in a segment.
struct frame {
  frame_header header;
  std::span<const std::byte> payload;
};

/// A payload that several frames, or several tries of one, may share.
using shared_payload = std::shared_ptr<const byte_buffer>;

/// Bytes that cannot be a frame.
class bad_frame : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace coterie::detail
