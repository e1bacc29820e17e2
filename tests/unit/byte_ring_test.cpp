// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <stdexcept>
#include <vector>

#include <catch2/catch.hpp>

#include "channel/byte_ring.hpp"
#include "frames.hpp"
#include "messages/frame.hpp"
#include "ring_memory.hpp"

namespace {

using namespace coterie::detail;
using frames::bytes;
using frames::pattern;

constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();

/// Both sides of one ring.
struct both_sides {
  explicit both_sides(std::size_t capacity, std::uint64_t start = 0)
      : memory{capacity, start}, writer{memory.ring(), start}, reader{memory.ring(), start} {}

  bytes read(std::size_t most) {
    bytes all(most);
    all.resize(reader.read(all));
    return all;
  }

  ring_memory memory;
  ring_writer writer;
  ring_reader reader;
};

iovec piece_of(bytes& from) { return {from.data(), from.size()}; }

/// What the shared words may be changed to, around where they are.
std::vector<std::uint64_t> all_kinds_of_indices(std::uint64_t right, std::size_t capacity) {
  std::vector<std::uint64_t> values{
      0, 1, largest, largest - 1, largest / 2, largest / 2 + 1, right + largest / 2};
  for (std::uint64_t distance = 0; distance <= 2 * capacity + 1; ++distance) {
    values.push_back(right + distance);
    values.push_back(right - distance);
  }
  return values;
}

}  // namespace

TEST_CASE("given memory that cannot be a ring, when a ring is made of it, then that is refused") {
  ring_memory memory{64};
  const auto all = memory.bytes();
  CHECK(byte_ring{all}.capacity() == 64);
  CHECK(byte_ring{all.first(byte_ring::memory_for(1))}.capacity() == 1);
  CHECK_THROWS_AS(byte_ring{all.first(byte_ring::memory_for(0))}, std::invalid_argument);
  CHECK_THROWS_AS(byte_ring{all.first(byte_ring::memory_for(63))}, std::invalid_argument);
  CHECK_THROWS_AS(byte_ring{all.first(10)}, std::invalid_argument);
  CHECK_THROWS_AS(byte_ring{std::span<std::byte>{}}, std::invalid_argument);
  CHECK_THROWS_AS(byte_ring{all.subspan(1, byte_ring::memory_for(32))}, std::invalid_argument);
  CHECK_THROWS_AS(byte_ring{all.subspan(8, byte_ring::memory_for(32))}, std::invalid_argument);
}

TEST_CASE("given a new ring, when it is looked at, then it is empty") {
  both_sides sides{32};
  CHECK(sides.writer.free() == 32);
  CHECK(sides.reader.readable() == 0);
  CHECK(sides.read(10).empty());
  CHECK(sides.writer.write(std::span<const std::byte>{}) == 0);
  CHECK(sides.writer.write(std::span<const iovec>{}) == 0);
  CHECK(sides.reader.read({}) == 0);
}

TEST_CASE("given any offset and any size, when bytes go through, then they come out the same") {
  for (const std::size_t capacity : {1U, 2U, 16U, 32U}) {
    // From before the largest index to behind it, and so over every place of the ring.
    for (std::uint64_t start = largest - 2 * capacity; start != capacity + 1; ++start) {
      for (std::size_t size = 0; size <= capacity; ++size) {
        both_sides sides{capacity, start};
        const bytes sent = pattern(size, static_cast<unsigned>(start));
        REQUIRE(sides.writer.write(sent) == size);
        REQUIRE(sides.writer.free() == capacity - size);
        REQUIRE(sides.reader.readable() == size);
        REQUIRE(sides.read(capacity + 1) == sent);
        REQUIRE(sides.writer.free() == capacity);
        REQUIRE(sides.memory.words().head == start + size);
        REQUIRE(sides.memory.words().tail == start + size);
      }
    }
  }
}

TEST_CASE("given more than fits, when it is written, then what fits is taken, and nothing else") {
  both_sides sides{16};
  const bytes all = pattern(40);
  CHECK(sides.writer.write(all) == 16);
  CHECK(sides.writer.write(all) == 0);
  CHECK(sides.writer.free() == 0);
  CHECK(frames::same(std::span{all}.first(5), sides.read(5)));
  CHECK(sides.writer.write(std::span{all}.subspan(16)) == 5);
  CHECK(frames::same(std::span{all}.subspan(5, 16), sides.read(100)));
}

TEST_CASE("given pieces of any size, when they are written, then they come out as one") {
  bytes one = pattern(5, 1);
  bytes two = pattern(9, 2);
  bytes three = pattern(20, 3);
  bytes all;
  for (const bytes* each : {&one, &two, &three}) all.insert(all.end(), each->begin(), each->end());
  const std::array pieces{iovec{}, piece_of(one), iovec{}, piece_of(two), piece_of(three), iovec{}};
  for (std::uint64_t start = 0; start < 64; ++start) {
    for (std::size_t filled = 0; filled <= 64; ++filled) {
      both_sides sides{64, start - 32};
      const bytes before = pattern(filled);
      REQUIRE(sides.writer.write(before) == filled);
      const std::size_t count = sides.writer.write(pieces);
      REQUIRE(count == std::min(all.size(), 64 - filled));
      REQUIRE(sides.read(filled) == before);
      REQUIRE(frames::same(std::span{all}.first(count), sides.read(100)));
    }
  }
}

TEST_CASE("given pieces of enormous lengths, when they are written, then only what fits is read") {
  // Their sum is past the largest number, and 0 again. Only the first 16 bytes may be touched.
  both_sides sides{16};
  bytes first = pattern(16);
  const std::array pieces{iovec{first.data(), largest}, iovec{nullptr, 1}};
  CHECK(sides.writer.write(pieces) == 16);
  CHECK(sides.writer.write(pieces) == 0);
  CHECK(sides.read(100) == first);
}

TEST_CASE("given random sizes, when many bytes go through, then they come in their order") {
  std::mt19937 random{1};
  both_sides sides{64, largest - 50'000};
  const bytes all = pattern(100'000);
  std::size_t written = 0;
  bytes got;
  while (got.size() < all.size()) {
    const auto rest = std::span{all}.subspan(written);
    written += sides.writer.write(rest.first(std::min<std::size_t>(random() % 100, rest.size())));
    const bytes part = sides.read(random() % 100);
    got.insert(got.end(), part.begin(), part.end());
    REQUIRE(sides.reader.readable() == written - got.size());
    REQUIRE(sides.writer.free() == 64 - (written - got.size()));
  }
  CHECK(got == all);
}

TEST_CASE("given a tail that cannot be, when the writer looks at it, then it refuses to go on") {
  constexpr std::size_t capacity = 16;
  // Around the start, and around the largest index.
  for (const std::uint64_t start : {std::uint64_t{100}, largest - 7}) {
    // Seen as read: 3; then written: up to 3 + 10; read, but not yet seen: none.
    const std::uint64_t seen = start + 3;
    const std::uint64_t head = seen + 10;
    for (const std::uint64_t value : all_kinds_of_indices(head, capacity)) {
      both_sides sides{capacity, start};
      sides.writer.write(pattern(3));
      sides.read(3);
      REQUIRE(sides.writer.free() == capacity);
      sides.writer.write(pattern(10));
      sides.memory.words().tail = value;

      const bool possible = value - seen <= 10;
      INFO("distance from what was seen: " << value - seen);
      if (possible) {
        REQUIRE(sides.writer.free() == capacity - (head - value));
        REQUIRE(sides.writer.prepare_wait(capacity) == (value != head));
        REQUIRE(sides.writer.write(pattern(100)) == capacity - (head - value));
      } else {
        bytes many = pattern(100);
        const std::array pieces{piece_of(many)};
        REQUIRE_THROWS_AS(sides.writer.free(), bad_frame);
        REQUIRE_THROWS_AS(sides.writer.write(many), bad_frame);
        REQUIRE_THROWS_AS(sides.writer.write(pieces), bad_frame);
        REQUIRE_THROWS_AS(sides.writer.prepare_wait(1), bad_frame);
        REQUIRE(sides.memory.words().head == head);
        // What fits by what was believed before needs no look.
        REQUIRE(sides.writer.write(pattern(6)) == 6);
        if (value - seen > capacity) {
          REQUIRE_THROWS_AS(sides.writer.write(pattern(1)), bad_frame);
        }
      }
    }
  }
}

TEST_CASE("given a head that cannot be, when the reader looks at it, then it refuses to go on") {
  constexpr std::size_t capacity = 16;
  for (const std::uint64_t start : {std::uint64_t{100}, largest - 7}) {
    // Seen as written: 9; of these read: 4.
    const std::uint64_t tail = start + 4;
    const std::uint64_t seen = start + 9;
    for (const std::uint64_t value : all_kinds_of_indices(seen, capacity)) {
      both_sides sides{capacity, start};
      sides.writer.write(pattern(9));
      sides.read(4);
      sides.memory.words().writer_waits = 1;
      sides.memory.words().head = value;

      const bool possible = value - seen <= capacity - 5;
      INFO("distance from what was seen: " << value - seen);
      if (possible) {
        REQUIRE(sides.reader.readable() == value - tail);
        REQUIRE(sides.reader.must_wake_writer() == (value - tail < capacity));
        REQUIRE_FALSE(sides.reader.prepare_sleep());
        REQUIRE(sides.read(100).size() == value - tail);
      } else {
        REQUIRE_THROWS_AS(sides.reader.readable(), bad_frame);
        REQUIRE_THROWS_AS(sides.read(100), bad_frame);
        REQUIRE_THROWS_AS(sides.reader.prepare_sleep(), bad_frame);
        REQUIRE_THROWS_AS(sides.reader.must_wake_writer(), bad_frame);
        REQUIRE(sides.memory.words().tail == tail);
        // What was there by what was believed before needs no look.
        const bytes sent = pattern(9);
        REQUIRE(frames::same(std::span{sent}.subspan(4), sides.read(5)));
        if (value - seen > capacity) REQUIRE_THROWS_AS(sides.read(1), bad_frame);
      }
    }
  }
}

TEST_CASE("given a side's own index changed by the other, when it goes on, then it knows better") {
  for (const std::uint64_t nonsense : {std::uint64_t{0}, std::uint64_t{7}, largest}) {
    both_sides sides{16, 1000};
    const bytes sent = pattern(12);
    sides.memory.words().head = nonsense;
    REQUIRE(sides.writer.write(std::span{sent}.first(6)) == 6);
    sides.memory.words().head = nonsense;
    REQUIRE(sides.writer.write(std::span{sent}.subspan(6)) == 6);
    REQUIRE(sides.memory.words().head == 1012);
    sides.memory.words().tail = nonsense;
    REQUIRE(frames::same(std::span{sent}.first(8), sides.read(8)));
    sides.memory.words().tail = nonsense;
    REQUIRE(frames::same(std::span{sent}.subspan(8), sides.read(8)));
    REQUIRE(sides.memory.words().tail == 1012);
    REQUIRE(sides.writer.free() == 16);
  }
}

TEST_CASE(
    "given memory that is overwritten at random, when both go on, then nothing worse happens") {
  // What is read is then anything; but every call comes back, or throws what it says it throws.
  std::mt19937_64 random{7};
  int refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    both_sides sides{8, largest - 4};
    for (int step = 0; step < 12; ++step) {
      auto& words = sides.memory.words();
      std::uint64_t* const all[] = {&words.head, &words.tail, &words.reader_sleeps,
                                    &words.writer_waits};
      if (random() % 4 == 0) {
        *all[random() % 4] = random() % 2 == 0 ? random() : largest - 8 + random() % 20;
      }
      try {
        std::size_t moved = 0;
        switch (random() % 6) {
          case 0:
            moved = sides.writer.write(pattern(random() % 12));
            break;
          case 1:
            moved = sides.read(random() % 12).size();
            break;
          case 2:
            static_cast<void>(sides.writer.must_wake_reader());
            break;
          case 3:
            static_cast<void>(sides.writer.prepare_wait(random()));
            break;
          case 4:
            static_cast<void>(sides.reader.must_wake_writer());
            break;
          default:
            static_cast<void>(sides.reader.prepare_sleep());
            break;
        }
        REQUIRE(moved <= 8);
      } catch (const bad_frame&) {
        ++refused;
      }
    }
  }
  CHECK(refused > 1000);
}
