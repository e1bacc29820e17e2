// SPDX-License-Identifier: BSL-1.0
#include "worker/worker_segments.hpp"

#include <algorithm>
#include <utility>

#include <boost/system/system_error.hpp>

namespace coterie::detail {

namespace {

template <class Segments>
auto& numbered(Segments& segments, std::uint64_t number) {
  if (number == no_segment || number > segments.size()) {
    throw bad_frame{"it speaks of memory that no link has"};
  }
  return segments[number - 1U];
}

// Returns no memory for no bytes. Throws `bad_frame` if the descriptor is not the memory that the
// frame promised, and `boost::system::system_error` if the memory cannot be mapped here.
shared_memory open(unique_descriptor descriptor, std::size_t size, memory_writer writer) {
  if (size == 0) return {};
  try {
    auto memory = shared_memory::open(std::move(descriptor), size, writer);
    memory.close_descriptor();
    return memory;
  } catch (const bad_memory& problem) {
    throw bad_frame{problem.what()};
  }
}

}  // namespace

void worker_segments::place_argument(std::uint64_t number, std::size_t size,
                                     unique_descriptor descriptor) {
  argument_segment& segment = numbered(arguments_, number);
  segment = {};
  try {
    segment.memory = open(std::move(descriptor), size, memory_writer::creator);
  } catch (const boost::system::system_error&) {
    // Perhaps there are no addresses for it. The items that come in it fail.
    segment.problem = std::current_exception();
  }
}

void worker_segments::place_result(std::uint64_t number, std::size_t size,
                                   unique_descriptor descriptor) {
  result_segment& segment = numbered(results_, number);
  segment = {};
  try {
    segment.memory = open(std::move(descriptor), size, memory_writer::other);
  } catch (const boost::system::system_error&) {
    segment.memory = {};  // results then go through the ring
  }
}

std::span<const std::byte> worker_segments::argument(const frame_header& header) const {
  const argument_segment& segment = numbered(arguments_, header.segment);
  if (segment.problem) std::rethrow_exception(segment.problem);
  if (header.length > segment.memory.bytes().size()) {
    throw bad_frame{"a payload is longer than its memory"};
  }
  return segment.memory.bytes().first(static_cast<std::size_t>(header.length));
}

worker_segments::result_segment& worker_segments::holding(
    std::span<const std::byte> bytes) noexcept {
  return *std::ranges::find(results_, bytes.data(),
                            [](const auto& each) { return each.memory.bytes().data(); });
}

std::span<std::byte> worker_segments::take(std::size_t wanted) noexcept {
  if (wanted < least_in_segment) return {};
  result_segment* const found = smallest_free(results_, wanted, is_free);
  if (found == nullptr) return {};
  found->used_for = use::being_written;
  return found->memory.bytes();
}

void worker_segments::give_back(std::span<std::byte> taken) noexcept {
  result_segment& segment = holding(taken);
  if (segment.used_for == use::being_written) segment.used_for = use::none;
}

segment_number worker_segments::send(std::span<const std::byte> bytes) {
  result_segment& segment = holding(bytes);
  segment.used_for = use::sent;
  return static_cast<segment_number>(&segment - results_.data() + 1);
}

segment_number worker_segments::give_up_one() {
  result_segment* const chosen = smallest_free(results_, 0, is_free);
  *chosen = {};
  chosen->asked = true;
  return static_cast<segment_number>(chosen - results_.data() + 1);
}

void worker_segments::taken(std::uint64_t number) {
  numbered(results_, number).used_for = use::none;
}

}  // namespace coterie::detail
