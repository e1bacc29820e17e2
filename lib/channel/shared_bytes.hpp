// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstring>
#include <span>

#include <coterie/detail/byte_buffer.hpp>

namespace coterie::detail {

// Bytes of memory that two processes share. Like the words (`shared_word`), they are touched only
// through this header, in whose place the tests put another one (`tests/memory_model`).

/// Copies bytes to, or from, memory that a word has handed to this side: the other side leaves it
/// alone.
inline void write_shared(std::byte* to, const void* from, std::size_t count) noexcept {
  std::memcpy(to, from, count);
}
inline void read_shared(std::byte* to, const std::byte* from, std::size_t count) noexcept {
  std::memcpy(to, from, count);
}

/// Copies bytes that the other side may be writing over. Whether it was is for a word to say,
/// afterwards.
inline void append_shared(byte_buffer& to, std::span<const std::byte> from) {
  to.append(from.data(), from.size());
}

}  // namespace coterie::detail
