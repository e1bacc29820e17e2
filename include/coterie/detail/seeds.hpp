// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace coterie::detail {

/// The number `index` of the sequence that SplitMix64 gives for `seed`: G. L. Steele, D. Lea, C. H.
/// Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014. Different for each index
/// of one seed.
constexpr std::uint64_t split_seed(std::uint64_t seed, std::uint64_t index) noexcept {
  std::uint64_t mixed = seed + (index + 1) * 0x9e37'79b9'7f4a'7c15;
  mixed = (mixed ^ (mixed >> 30U)) * 0xbf58'476d'1ce4'e5b9;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94d0'49bb'1331'11eb;
  return mixed ^ (mixed >> 31U);
}

}  // namespace coterie::detail
