// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>

namespace coterie::detail {

/// A word that two processes share. A lock would be in the memory of one of them.
///
/// Parent and worker touch words of their shared memory only through this name: the tests put
/// another class in its place, under which every order of steps can be tried
/// (`tests/memory_model`).
using shared_word = std::atomic_ref<std::uint64_t>;
static_assert(shared_word::is_always_lock_free);

}  // namespace coterie::detail
