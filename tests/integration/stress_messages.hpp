// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

/// What the stress test sends, and what its tasks do with it.
namespace stress {

using bytes = std::vector<std::uint8_t>;

// The same for the same seed, and unlike any other or any part of itself.
inline std::uint64_t word_at(std::uint64_t seed, std::size_t place) {
  std::uint64_t word = (seed + place) * 0x9e3779b97f4a7c15U;
  return word ^ (word >> 29U);
}

inline bytes content(std::uint64_t seed, std::size_t size) {
  bytes made(size);
  for (std::size_t at = 0; at < size; at += sizeof seed) {
    const std::uint64_t word = word_at(seed, at);
    std::memcpy(made.data() + at, &word, std::min(sizeof word, size - at));
  }
  return made;
}

inline bool is_content(const bytes& given, std::uint64_t seed, std::size_t size) {
  if (given.size() != size) return false;
  for (std::size_t at = 0; at < size; at += sizeof seed) {
    const std::uint64_t word = word_at(seed, at);
    if (std::memcmp(given.data() + at, &word, std::min(sizeof word, size - at)) != 0) return false;
  }
  return true;
}

enum class fate : std::uint8_t { returns, throws, dies };

struct plan {
  std::uint64_t seed = 0;
  std::size_t size_in = 0;
  std::size_t size_out = 0;
  std::int64_t microseconds = 0;
  fate end = fate::returns;
};

struct order {
  plan what;
  bytes parcel;
};

struct answer {
  std::uint64_t seed = 0;
  bytes parcel;
};

inline order order_for(const plan& what) { return {what, content(what.seed, what.size_in)}; }

// Made when they are sent.
inline auto orders(const std::vector<plan>& plans) {
  return plans | std::views::transform(order_for);
}

// Of letters, for nothing behind a zero would be seen.
inline std::string text_of(const plan& what) {
  return std::to_string(what.seed) +
         std::string(what.size_out, static_cast<char>('a' + what.seed % 26));
}

inline answer deliver(const order& given) {
  const plan& what = given.what;
  if (!is_content(given.parcel, what.seed, what.size_in)) {
    throw std::logic_error{"the argument of " + std::to_string(what.seed) +
                           " is not what was sent"};
  }
  std::this_thread::sleep_for(std::chrono::microseconds{what.microseconds});
  if (what.end == fate::throws) throw std::range_error{text_of(what)};
  if (what.end == fate::dies) std::raise(SIGKILL);
  return {what.seed, content(~what.seed, what.size_out)};
}

}  // namespace stress
