// SPDX-License-Identifier: BSL-1.0

// The bytes of a ring: what is written arrives, once and in order, and no byte is ever written and
// read at the same time.

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "channel/byte_ring.hpp"
#include "modelled_memory.hpp"
#include "modelled_ring.hpp"
#include "scenario.hpp"

namespace memory_model {

namespace {

using namespace coterie::detail;

constexpr std::size_t capacity = 4;

std::byte byte_with(std::size_t index) { return static_cast<std::byte>(index + 1); }

template <class Derived>
struct bytes_suite : rl::test_suite<Derived, 2> {
  // The indices pass the largest number on their way.
  static constexpr std::uint64_t start = std::uint64_t{0} - 3;

  std::array<std::byte, capacity> next_bytes() const {
    std::array<std::byte, capacity> bytes{};
    for (std::size_t each = 0; each < capacity; ++each) bytes[each] = byte_with(written + each);
    return bytes;
  }
  void write(ring_writer& writer, std::size_t most) {
    const auto bytes = next_bytes();
    written += writer.write(std::span{bytes}.first(most));
  }
  void write_in_pieces(ring_writer& writer, std::size_t first, std::size_t second) {
    auto bytes = next_bytes();
    const std::array pieces{iovec{.iov_base = bytes.data(), .iov_len = first},
                            iovec{.iov_base = bytes.data() + first, .iov_len = second}};
    written += writer.write(pieces);
  }
  void read(ring_reader& reader, std::size_t most) {
    std::array<std::byte, capacity> bytes{};
    const std::size_t count = reader.read(std::span{bytes}.first(most));
    for (std::size_t each = 0; each < count; ++each) require(bytes[each] == byte_with(taken++));
  }
  void after() {
    ring_reader rest{shared.ring(), start + taken};
    read(rest, capacity);
    require(taken == written);
  }

  scene fresh;
  modelled_ring<capacity> shared{start};
  // Each of them is of one side, and looked at when both have ended.
  std::size_t written = 0;
  std::size_t taken = 0;
};

/// Both sides move as many bytes as they like at a time.
struct bytes_arrive_in_order : bytes_suite<bytes_arrive_in_order> {
  void thread(unsigned index) {
    if (index == 0) {
      ring_writer writer{shared.ring(), start};
      for (int turn = 0; turn < 3; ++turn) write(writer, 1 + rl::rand(3));
      write_in_pieces(writer, 1 + rl::rand(2), 1 + rl::rand(2));
    } else {
      ring_reader reader{shared.ring(), start};
      for (int turn = 0; turn < 4; ++turn) read(reader, 1 + rl::rand(3));
    }
  }
};

/// What a side is told that it can move, it can.
struct room_and_bytes_are_there : bytes_suite<room_and_bytes_are_there> {
  void thread(unsigned index) {
    if (index == 0) {
      ring_writer writer{shared.ring(), start};
      for (int turn = 0; turn < 4; ++turn) {
        const std::size_t before = written;
        const std::size_t room = std::min<std::size_t>(writer.free(), 3);
        write(writer, room);
        require(written == before + room);
      }
    } else {
      ring_reader reader{shared.ring(), start};
      for (int turn = 0; turn < 4; ++turn) {
        const std::size_t before = taken;
        const std::size_t there = reader.readable();
        read(reader, there);
        require(taken == before + there);
      }
    }
  }
};

/// Few enough steps to try them all.
struct a_full_ring_is_not_written_over : bytes_suite<a_full_ring_is_not_written_over> {
  void thread(unsigned index) {
    if (index == 0) {
      ring_writer writer{shared.ring(), start};
      for (int turn = 0; turn < 3; ++turn) write(writer, 3);
    } else {
      ring_reader reader{shared.ring(), start};
      for (int turn = 0; turn < 3; ++turn) read(reader, 2);
    }
  }
};

}  // namespace

std::vector<scenario> ring_scenarios() {
  return {
      random<bytes_arrive_in_order>(
          "given a ring, when bytes are written and read at once, then all arrive in order"),
      random<room_and_bytes_are_there>(
          "given a ring, when a side asks what it can move, then it can move that"),
      full<a_full_ring_is_not_written_over>(
          "given a full ring, when its reader goes on, then no byte is lost"),
  };
}

}  // namespace memory_model
