// SPDX-License-Identifier: BSL-1.0

// Any bytes, in any pieces: `frame_reader` finds the frames that a look at the whole finds, and
// takes no more memory than the bytes are worth.

#include "unit/frames.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "fuzz/support.hpp"
#include "messages/frame.hpp"
#include "messages/frame_reader.hpp"

namespace {

using namespace coterie::detail;
using frames::bytes;

constexpr std::size_t longest_stream = std::size_t{512} << 10U;

// Copied from one place: to make it each time takes longer than all that is tried with it.
bytes filling_of(std::size_t size) {
  static const bytes all = frames::pattern(longest_stream);
  return {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(size)};
}

// What comes from the other side: frames, parts of frames, and anything else.
bytes stream_of(fuzz::script& orders) {
  enum order : unsigned { raw, header, whole_frame, filling, order_count };
  bytes all;
  while (!orders.empty() && all.size() < longest_stream) {
    switch (orders.byte() % order_count) {
      case raw: {
        const auto some = orders.bytes(orders.byte());
        all.insert(all.end(), some.begin(), some.end());
        break;
      }
      case header: {
        frame_header made = frames::header(static_cast<message_kind>(orders.byte()), orders.byte());
        made.segment = static_cast<segment_number>(orders.up_to(2));
        made.length = orders.number<std::uint64_t>();
        const auto* const begin = reinterpret_cast<const std::byte*>(&made);
        all.insert(all.end(), begin, begin + sizeof made);
        break;
      }
      case whole_frame: {
        const auto kind = static_cast<message_kind>(1 + orders.up_to(16));
        const std::size_t size = orders.up_to(orders.byte() < 250 ? 5000 : 300'000);
        frames::append(all, frames::header(kind, orders.byte()), filling_of(size));
        break;
      }
      case filling: {
        const bytes some = filling_of(orders.up_to(orders.byte() < 250 ? 500 : 300'000));
        all.insert(all.end(), some.begin(), some.end());
        break;
      }
    }
  }
  return all;
}

/// A stream as one that has all of it in view sees it.
struct expected_frame {
  frame_header header;
  std::span<const std::byte> payload;
};
struct expectation {
  std::vector<expected_frame> frames;
  bool ends_in_nonsense = false;
  std::size_t left_over = 0;
};

expectation expected_of(std::span<const std::byte> all) {
  expectation found;
  while (all.size() >= sizeof(frame_header)) {
    frame_header header;
    std::memcpy(&header, all.data(), sizeof header);
    const auto kind = static_cast<std::uint32_t>(header.kind);
    found.ends_in_nonsense = header.magic != frame_header::right_magic || kind < 1 || kind > 17 ||
                             header.length > std::uint64_t{64} << 30U;
    if (found.ends_in_nonsense) break;
    // A payload that lies in a segment does not follow.
    const std::uint64_t length = header.segment == 0 ? header.length : 0;
    const std::uint64_t with_padding = (length + 15) / 16 * 16;
    if (all.size() - sizeof header < with_padding) break;
    all = all.subspan(sizeof header);
    found.frames.push_back({header, all.first(static_cast<std::size_t>(length))});
    all = all.subspan(static_cast<std::size_t>(with_padding));
  }
  found.left_over = all.size();
  return found;
}

void is_same(const frame& came, const expected_frame& wanted) {
  fuzz::holds(std::memcmp(&came.header, &wanted.header, sizeof wanted.header) == 0, "same header");
  fuzz::holds(came.payload.size() == wanted.payload.size() &&
                  std::ranges::equal(came.payload, wanted.payload),
              "same payload");
  fuzz::holds(came.payload.empty() ||
                  reinterpret_cast<std::uintptr_t>(came.payload.data()) % frame_alignment == 0,
              "a payload is aligned");
}

/// Takes frames off a reader and compares them.
class taker {
 public:
  explicit taker(const expectation& wanted) : wanted_{wanted} {}

  /// Takes all that are there. False when the reader has refused to go on.
  bool take(frame_reader& reader) {
    try {
      while (const auto next = reader.next()) {
        fuzz::holds(taken_ < wanted_.frames.size(), "no frame too many");
        is_same(*next, wanted_.frames[taken_++]);
      }
      return true;
    } catch (const bad_frame&) {
      refused_ = true;
      return false;
    }
  }

  /// Looks at all that are there, and leaves them.
  void peek(const frame_reader& reader) const {
    std::size_t position = 0;
    std::size_t index = taken_;
    try {
      while (const auto next = reader.peek(position)) {
        fuzz::holds(index < wanted_.frames.size(), "no frame too many is seen");
        is_same(*next, wanted_.frames[index++]);
      }
    } catch (const bad_frame&) {
      fuzz::holds(wanted_.ends_in_nonsense && index == wanted_.frames.size(),
                  "what is refused by a look is nonsense");
    }
  }

  void ends(const frame_reader& reader) const {
    fuzz::holds(taken_ == wanted_.frames.size(), "all frames came");
    fuzz::holds(refused_ == wanted_.ends_in_nonsense, "nonsense is refused, and nothing else");
    fuzz::holds(refused_ || reader.in_the_middle() == (wanted_.left_over > 0),
                "a frame that has begun is known");
  }

 private:
  const expectation& wanted_;
  std::size_t taken_ = 0;
  bool refused_ = false;
};

void in_one_piece(const bytes& all, const expectation& wanted) {
  frame_reader reader;
  taker seen{wanted};
  frames::feed(reader, all);
  seen.peek(reader);
  seen.take(reader);
  seen.ends(reader);
}

// As a worker does, it also hands what has come over to a second reader now and then.
void in_pieces(const bytes& all, const expectation& wanted, std::minstd_rand random) {
  frame_reader reader;
  frame_reader other;
  taker seen{wanted};
  const std::size_t longest = std::max<std::size_t>(1U << random() % 18, all.size() / 100);
  for (std::span rest{all}; !rest.empty();) {
    const std::size_t piece = std::min<std::size_t>(1 + random() % longest, rest.size());
    frames::feed(reader, rest.first(piece));
    rest = rest.subspan(piece);
    switch (random() % 8) {
      case 0:
        continue;
      case 1:
        seen.peek(reader);
        continue;
      case 2:
        reader.hand_over_to(other);
        fuzz::holds(!reader.in_the_middle(), "what was handed over is gone");
        std::swap(reader, other);
        continue;
      default:
        if (!seen.take(reader)) return seen.ends(reader);
    }
  }
  seen.take(reader);
  seen.ends(reader);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::script orders{data, size};
  std::minstd_rand random{orders.number<std::uint16_t>() + 1U};
  const bytes all = stream_of(orders);
  const expectation wanted = expected_of(all);
  fuzz::allocations::begin();
  in_one_piece(all, wanted);
  in_pieces(all, wanted, random);
  // However long a frame claims to be.
  fuzz::holds(fuzz::allocations::largest() <= 4 * all.size() + (std::size_t{33} << 20U),
              "memory follows the bytes that have come");
  return 0;
}
