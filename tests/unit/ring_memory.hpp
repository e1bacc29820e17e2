// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>

#include "channel/byte_ring.hpp"

/// Zeros to make a ring of, within one process. Its memory ends where the ring ends, so that
/// AddressSanitizer sees a step beyond.
class ring_memory {
 public:
  explicit ring_memory(std::size_t capacity)
      : size_{coterie::detail::byte_ring::memory_for(capacity)},
        bytes_{new(std::align_val_t{line}) std::byte[size_]{}} {}

  /// An empty ring whose next byte has the index `start`.
  ring_memory(std::size_t capacity, std::uint64_t start) : ring_memory{capacity} {
    words().head = words().tail = start;
  }

  [[nodiscard]] std::span<std::byte> bytes() const { return {bytes_.get(), size_}; }
  [[nodiscard]] coterie::detail::byte_ring ring() const {
    return coterie::detail::byte_ring{bytes()};
  }
  [[nodiscard]] coterie::detail::byte_ring::control_words& words() const { return ring().words(); }

 private:
  static constexpr std::size_t line = coterie::detail::byte_ring::control_words::line;
  struct deleter {
    void operator()(std::byte* bytes) const { operator delete[](bytes, std::align_val_t{line}); }
  };

  std::size_t size_;
  std::unique_ptr<std::byte[], deleter> bytes_;
};
