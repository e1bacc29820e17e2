// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <coterie/detail/byte_buffer.hpp>

#include "messages/frame.hpp"

namespace coterie::detail {

/// The results that a worker has and has not sent yet, in memory that it shares with its parent:
/// its death loses none of them, and none waits behind a long item.
///
/// The worker encodes results in `space`, one behind the other, and says after each of them how
/// many are whole (`result_progress`). From there they go into the ring, all as one frame. The
/// parent may look here at any time, and does so after the worker has ended
/// (`open_results_reader`).
///
/// Memory of zeros holds no results. The parent believes nothing: it may get wrong results of
/// the worker that wrote them, but not more than that.
class open_results {
 public:
  /// Bytes of memory for `size` bytes of results.
  static constexpr std::size_t memory_for(std::size_t size) { return sizeof(control_words) + size; }

  /// A view of `memory`, which begins at a cache line, has room for the control words, and outlives
  /// it.
  explicit open_results(std::span<std::byte> memory) noexcept
      : words_{reinterpret_cast<control_words*>(memory.data())},
        space_{memory.subspan(sizeof(control_words))} {}

  // For the worker.

  [[nodiscard]] std::span<std::byte> space() const noexcept { return space_; }
  /// What comes into `space` next are results of these items. So many frames were sent before.
  void begin(std::uint64_t sent, job_id job, chunk_id chunk, std::size_t first) const noexcept;
  /// Where to say how many are whole; `begin` sets it to none.
  [[nodiscard]] std::uint64_t& whole() const noexcept { return words_->whole; }

  // For the parent.

  /// The results that come after the first `received` frames, as the next one, whose payload lies
  /// in `copy`; empty if there are none.
  [[nodiscard]] std::optional<frame> read(std::uint64_t received, byte_buffer& copy) const;

 private:
  struct alignas(64) control_words {
    std::uint64_t whole;
    std::uint64_t sent;
    std::uint64_t job;
    std::uint64_t chunk;
    std::uint64_t first;
  };

  control_words* words_;
  std::span<std::byte> space_;
};

/// Gets each result of a worker once, whether it is found among those that are open or comes in a
/// frame.
class open_results_reader {
 public:
  explicit open_results_reader(open_results from) noexcept : from_{from} {}

  /// Results that neither `check` nor `take` has seen, as a frame that is valid until the next
  /// call; empty if there are none. All frames that have come must have been taken before.
  [[nodiscard]] std::optional<frame> check();

  /// Leaves out of a frame what `check` has seen. False if nothing is left of it. Throws
  /// `bad_frame` if that was something else.
  [[nodiscard]] bool take(frame& arrived);

 private:
  open_results from_;
  byte_buffer copy_;
  std::uint64_t received_ = 0;  // frames
  // What `check` has seen of the next frame.
  std::size_t seen_ = 0;
  std::size_t seen_bytes_ = 0;
  std::uint64_t first_ = 0;
};

}  // namespace coterie::detail
