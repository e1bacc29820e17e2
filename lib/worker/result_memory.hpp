// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include <coterie/detail/buffer_memory.hpp>

#include "worker/worker_segments.hpp"

namespace coterie::detail {

/// The memory in which a worker encodes results: that of the open results (`open_results`) as long
/// as they fit there, else a segment.
class result_memory final : public buffer_memory {
 public:
  result_memory(std::span<std::byte> open, std::shared_ptr<worker_segments> segments)
      : open_{open}, segments_{std::move(segments)} {}

  std::span<std::byte> take(std::size_t wanted) noexcept override {
    if (wanted > open_.size() || open_taken_) return segments_->take(wanted);
    open_taken_ = true;
    return open_;
  }
  void give_back(std::span<std::byte> taken) noexcept override {
    if (taken.data() != open_.data()) return segments_->give_back(taken);
    open_taken_ = false;
  }

  [[nodiscard]] std::span<std::byte> open() const noexcept { return open_; }

 private:
  std::span<std::byte> open_;
  std::shared_ptr<worker_segments> segments_;
  bool open_taken_ = false;
};

}  // namespace coterie::detail
