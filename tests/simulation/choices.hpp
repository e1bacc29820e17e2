// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace simulation {

using std::chrono::nanoseconds;

/// All that is left to chance, by a seed. (The generator is SplitMix64: its numbers are the same
/// everywhere, which those of the standard's distributions are not.)
class choices {
 public:
  explicit choices(std::uint64_t seed) : state_{seed} {}

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }
  /// From 0 on, before `end`.
  std::size_t below(std::size_t end) { return static_cast<std::size_t>(next() % end); }
  std::size_t between(std::size_t first, std::size_t last) {
    return first + below(last - first + 1);
  }
  /// Once in so many times; 0: never.
  bool once_in(std::size_t times) { return times > 0 && below(times) == 0; }
  /// As often a thousandth of the one as a thousandth of the other: each power of two is as likely.
  nanoseconds time_between(nanoseconds least, nanoseconds most) {
    const double share = static_cast<double>(next() >> 11U) * 0x1.0p-53;
    const double low = std::log2(static_cast<double>(least.count()));
    const double high = std::log2(static_cast<double>(most.count()));
    return nanoseconds{static_cast<std::int64_t>(std::exp2(low + (high - low) * share))};
  }

 private:
  std::uint64_t state_;
};

}  // namespace simulation
