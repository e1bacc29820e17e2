// SPDX-License-Identifier: BSL-1.0
#include "links/result_segments.hpp"

#include <string>

#include <boost/system/system_error.hpp>

namespace coterie::detail {

shared_memory& result_segments::make(std::uint64_t number, std::uint64_t size) {
  if (number == no_segment || number > all_.size()) {
    throw bad_frame{"it wants memory that no link has"};
  }
  if (size == 0 || size > longest_payload) {
    throw bad_frame{"it wants " + std::to_string(size) + " bytes for its results"};
  }
  shared_memory& memory = all_[number - 1U];
  memory = {};  // first, so that both are never there at a time
  try {
    memory = shared_memory::create(segment_size_for(static_cast<std::size_t>(size)),
                                   memory_writer::other);
  } catch (const boost::system::system_error&) {
    memory = {};  // the results then go through the ring
  }
  return memory;
}

std::span<const std::byte> result_segments::payload(const frame_header& header) const {
  if (header.segment > all_.size() || header.length == 0 ||
      header.length > all_[header.segment - 1U].bytes().size()) {
    throw bad_frame{"its results are said to be in memory that it does not have"};
  }
  return all_[header.segment - 1U].bytes().first(static_cast<std::size_t>(header.length));
}

}  // namespace coterie::detail
