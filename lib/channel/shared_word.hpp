// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include <coterie/detail/byte_buffer.hpp>

namespace coterie::detail {

// All that the two sides of a link touch at the same time goes through this header: the tests put another
// one in its place, under which every order of its steps can be tried (`tests/memory_model`).

/// A word that two processes share. A lock would be in the memory of one of them.
using shared_word = std::atomic_ref<std::uint64_t>;
static_assert(shared_word::is_always_lock_free);

/// Copies bytes that the other side may be writing over. Whether it was is for a word to say, afterwards.
inline void append_shared(byte_buffer& to, std::span<const std::byte> from) {
  to.append(from.data(), from.size());
}

}  // namespace coterie::detail
