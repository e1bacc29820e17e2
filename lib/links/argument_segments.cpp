// SPDX-License-Identifier: BSL-1.0
#include "links/argument_segments.hpp"

#include <boost/system/system_error.hpp>

namespace coterie::detail {

std::span<std::byte> argument_segments::take(std::size_t wanted) noexcept {
  if (wanted < least_in_segment || wanted > longest_payload) return {};
  const auto is_free = [](const segment& each) { return !each.taken; };
  segment* chosen = smallest_free(all_, wanted, is_free);
  if (chosen == nullptr) {
    chosen = smallest_free(all_, 0, is_free);
    if (chosen == nullptr) return {};
    try {
      *chosen = {shared_memory::create(segment_size_for(wanted), memory_writer::creator)};
    } catch (const boost::system::system_error&) {
      return {};
    }
  }
  chosen->taken = true;
  return chosen->memory.bytes();
}

void argument_segments::give_back(std::span<std::byte> taken) noexcept {
  at(number_of(taken)).taken = false;
}

segment_number argument_segments::number_of(std::span<const std::byte> bytes) const noexcept {
  segment_number number = 1;
  while (all_[number - 1U].memory.bytes().data() != bytes.data()) ++number;
  return number;
}

}  // namespace coterie::detail
