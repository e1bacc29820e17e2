// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>

namespace coterie::detail {

/// Sleeps while a word in shared memory has this value, until it is woken (`wake_word`), at most
/// for `limit`. Returns false if that time has passed.
///
/// Waits on the lower half of the word; its value must fit into that. May return for nothing, also
/// when a signal comes. Says nothing about the order of memory: the word is read anew afterwards.
bool wait_on_word(const std::uint64_t& word, std::uint64_t value,
                  std::chrono::nanoseconds limit) noexcept;

/// Wakes a process that sleeps on the word, wherever it has mapped the memory. Costs half of what a
/// byte through a socket costs.
void wake_word(const std::uint64_t& word) noexcept;

}  // namespace coterie::detail
