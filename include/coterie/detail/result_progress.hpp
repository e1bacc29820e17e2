// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <coterie/detail/shared_word.hpp>

namespace coterie::detail {

/// How many results are whole, and how many bytes they take, for a process that looks when this one
/// has ended. Both are in one word, so that they always fit each other: the end may come between
/// any two instructions.
class result_progress {
 public:
  /// `word` must outlive this, and says so far that there are `count` results of `bytes` bytes.
  result_progress(std::uint64_t& word, std::size_t count, std::size_t bytes) noexcept
      : word_{&word}, packed_{pack(count, bytes)} {}

  /// One more result, of so many bytes, follows the others.
  void add(std::size_t bytes) noexcept { store(*word_, packed_ += pack(1, bytes)); }

  /// Precondition: both are less than 2^32.
  static constexpr std::uint64_t pack(std::size_t count, std::size_t bytes) noexcept {
    return (std::uint64_t{count} << 32U) + bytes;
  }
  static constexpr std::size_t count_in(std::uint64_t packed) noexcept { return packed >> 32U; }
  static constexpr std::size_t bytes_in(std::uint64_t packed) noexcept {
    return packed & 0xffff'ffffU;
  }
  /// Releases, so that what is counted is there.
  static void store(std::uint64_t& word, std::uint64_t packed) noexcept {
    shared_word{word}.store(packed, std::memory_order_release);
  }
  /// Acquires, so that what is counted can be read.
  static std::uint64_t load(std::uint64_t& word) noexcept {
    return shared_word{word}.load(std::memory_order_acquire);
  }

 private:
  std::uint64_t* word_;
  std::uint64_t packed_;
};

}  // namespace coterie::detail
