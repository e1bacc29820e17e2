// SPDX-License-Identifier: BSL-1.0
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <thread>

#include <catch2/catch.hpp>

#include "channel/byte_ring.hpp"
#include "forked_memory.hpp"
#include "frames.hpp"
#include "ring_memory.hpp"
#include "system/unique_descriptor.hpp"

namespace {

using namespace coterie::detail;
using frames::pattern;

/// Only a wake-up that was lost takes so long.
constexpr int deadline_ms = 20'000;

/// One end of a pair of sockets: bytes that say nothing but "wake up".
class doorbell {
 public:
  explicit doorbell(int socket) : socket_{socket} {}

  void ring() const {
    const std::byte byte{};
    // A full socket has many wake-ups on their way: one more would add nothing.
    static_cast<void>(::send(socket_.get(), &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL));
  }

  /// Whether it rang, before the deadline.
  [[nodiscard]] bool wait() const {
    pollfd rings{socket_.get(), POLLIN, 0};
    if (::poll(&rings, 1, deadline_ms) != 1) return false;
    std::array<std::byte, 64> taken;
    return ::recv(socket_.get(), taken.data(), taken.size(), 0) > 0;
  }

 private:
  unique_descriptor socket_;
};

struct doorbells {
  static doorbells make() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    return {doorbell{ends[0]}, doorbell{ends[1]}};
  }
  doorbell writers, readers;
};

/// The byte with this index, of a stream that repeats itself in no power of two.
std::byte nth(std::uint64_t index) { return static_cast<std::byte>(index % 251 + index / 1999); }

/// Writes bytes 0 to `total` in random sizes. False if it was not woken.
bool write_all(ring_writer writer, const doorbell& bell, std::uint64_t total, unsigned seed) {
  std::mt19937 random{seed};
  std::array<std::byte, 200> buffer;
  for (std::uint64_t written = 0; written < total;) {
    const std::size_t size = std::min<std::uint64_t>(random() % buffer.size() + 1, total - written);
    for (std::size_t at = 0; at < size; ++at) buffer[at] = nth(written + at);
    auto rest = std::span<const std::byte>{buffer}.first(size);
    while (!rest.empty()) {
      const std::size_t count = writer.write(rest);
      rest = rest.subspan(count);
      // Now and then several writes before the question.
      if (rest.empty() && written + size < total && random() % 4 == 0) break;
      if (writer.must_wake_reader()) bell.ring();
      if (!rest.empty() && writer.prepare_wait(random() % 80) && !bell.wait()) return false;
    }
    written += size;
  }
  return true;
}

/// Reads bytes 0 to `total` in random sizes. False if one is wrong, or if it was not woken.
bool read_all(ring_reader reader, const doorbell& bell, std::uint64_t total, unsigned seed) {
  std::mt19937 random{seed};
  std::array<std::byte, 200> buffer;
  for (std::uint64_t taken = 0; taken < total;) {
    const std::size_t count = reader.read(std::span{buffer}.first(random() % buffer.size() + 1));
    for (std::size_t at = 0; at < count; ++at) {
      if (buffer[at] != nth(taken + at)) return false;
    }
    taken += count;
    if (count > 0) {
      if (reader.must_wake_writer()) bell.ring();
    } else if (reader.prepare_sleep() && !bell.wait()) {
      return false;
    }
  }
  return true;
}

struct both_sides {
  explicit both_sides(std::size_t capacity)
      : memory{capacity}, writer{memory.ring()}, reader{memory.ring()} {}
  std::size_t read(std::size_t most) {
    frames::bytes to(most);
    return reader.read(to);
  }
  ring_memory memory;
  ring_writer writer;
  ring_reader reader;
};

}  // namespace

TEST_CASE("given a reader that sleeps, when something is written, then it is woken once") {
  both_sides sides{16};
  CHECK_FALSE(sides.writer.must_wake_reader());
  REQUIRE(sides.reader.prepare_sleep());
  sides.writer.write(pattern(3));
  CHECK(sides.writer.must_wake_reader());
  CHECK_FALSE(sides.writer.must_wake_reader());
  sides.writer.write(pattern(3));
  CHECK_FALSE(sides.writer.must_wake_reader());
}

TEST_CASE("given a reader that sleeps, when it is to be woken, then it is in its own way") {
  both_sides sides{16};
  const auto how = GENERATE(wake_by::bell, wake_by::futex);
  REQUIRE(sides.reader.prepare_sleep(how));
  if (how == wake_by::futex) CHECK(sides.reader.sleep_word() == ring_reader::sleep_value);
  const bool at_the_end = GENERATE(false, true);
  const auto woken =
      at_the_end ? sides.writer.must_wake_reader_for_the_end() : sides.writer.must_wake_reader();
  REQUIRE(woken);
  CHECK(*woken == how);
  if (how == wake_by::futex) CHECK(sides.reader.sleep_word() != ring_reader::sleep_value);
}

TEST_CASE(
    "given a writer that has ended, when the reader is to sleep, then it does by bells only") {
  both_sides sides{16};
  CHECK_FALSE(sides.writer.must_wake_reader_for_the_end());
  CHECK_FALSE(sides.writer.must_wake_reader_for_the_end());
  CHECK_FALSE(sides.reader.prepare_sleep(wake_by::futex));
  CHECK(sides.reader.prepare_sleep(wake_by::bell));
}

TEST_CASE("given bytes that were not seen yet, when the reader wants to sleep, then it may not") {
  both_sides sides{16};
  CHECK(sides.read(1) == 0);
  sides.writer.write(pattern(3));
  CHECK_FALSE(sides.writer.must_wake_reader());
  CHECK_FALSE(sides.reader.prepare_sleep());
  // It is awake, and so need not be woken.
  CHECK_FALSE(sides.writer.must_wake_reader());
  sides.read(2);
  CHECK_FALSE(sides.reader.prepare_sleep());
  sides.read(1);
  CHECK(sides.reader.prepare_sleep());
}

TEST_CASE("given a side woken by something else, when it says so, then it is not woken") {
  both_sides sides{16};
  REQUIRE(sides.reader.prepare_sleep());
  sides.reader.stop_sleeping();
  sides.writer.write(pattern(16));
  CHECK_FALSE(sides.writer.must_wake_reader());
  REQUIRE(sides.writer.prepare_wait(1));
  sides.writer.stop_waiting();
  sides.read(16);
  CHECK_FALSE(sides.reader.must_wake_writer());
}

TEST_CASE("given a writer that waits for room, when there is as much, then it is woken once") {
  for (std::size_t wanted = 1; wanted <= 16; ++wanted) {
    both_sides sides{16};
    sides.writer.write(pattern(16));
    REQUIRE(sides.writer.prepare_wait(wanted));
    for (std::size_t read = 1; read <= 16; ++read) {
      REQUIRE(sides.read(1) == 1);
      REQUIRE(sides.reader.must_wake_writer() == (read == wanted));
    }
  }
}

TEST_CASE("given a wish that cannot be, when the writer waits, then it is the nearest that can") {
  both_sides sides{16};
  sides.writer.write(pattern(16));
  REQUIRE(sides.writer.prepare_wait(0));
  sides.read(1);
  CHECK(sides.reader.must_wake_writer());
  CHECK_FALSE(sides.writer.prepare_wait(0));
  for (const std::size_t wish : {std::size_t{17}, std::numeric_limits<std::size_t>::max()}) {
    REQUIRE(sides.writer.prepare_wait(wish));
    CHECK_FALSE(sides.reader.must_wake_writer());
  }
  sides.read(16);
  CHECK(sides.reader.must_wake_writer());
}

TEST_CASE("given room that was not seen yet, when the writer wants to wait, then it may not") {
  both_sides sides{16};
  sides.writer.write(pattern(16));
  CHECK(sides.writer.write(pattern(1)) == 0);
  sides.read(4);
  CHECK_FALSE(sides.reader.must_wake_writer());
  CHECK_FALSE(sides.writer.prepare_wait(4));
  CHECK_FALSE(sides.reader.must_wake_writer());
  REQUIRE(sides.writer.prepare_wait(5));
  sides.read(1);
  CHECK(sides.reader.must_wake_writer());
}

TEST_CASE("given a reader that has not looked, when the writer waits, then what it wrote counts") {
  both_sides sides{16};
  sides.writer.write(pattern(8));
  sides.read(4);  // has seen 8
  sides.writer.write(pattern(12));
  REQUIRE(sides.writer.prepare_wait(8));
  // By what the reader has seen, 12 would be free. It is 4 + what is read.
  CHECK(sides.read(3) == 3);
  CHECK_FALSE(sides.reader.must_wake_writer());
  CHECK(sides.read(5) == 5);
  CHECK(sides.reader.must_wake_writer());
}

TEST_CASE("given two threads, when they sleep and wake each other, then every byte comes") {
  for (const std::size_t capacity : {1U, 64U, 256U}) {
    const std::uint64_t total = capacity == 1 ? 20'000 : 2'000'000;
    const ring_memory memory{capacity};
    const doorbells bells = doorbells::make();
    bool written = false;
    std::thread writer{
        [&] { written = write_all(ring_writer{memory.ring()}, bells.writers, total, 1); }};
    const bool read = read_all(ring_reader{memory.ring()}, bells.readers, total, 2);
    writer.join();
    CHECK(read);
    CHECK(written);
  }
}

TEST_CASE("given two processes, when they sleep and wake each other, then every byte comes") {
  constexpr std::uint64_t total = 2'000'000;
  constexpr std::size_t capacity = 256;
  // One ring each way, at the same time.
  constexpr std::size_t one = byte_ring::memory_for(capacity);
  const forked_memory memory{2 * one};
  const byte_ring down{memory.bytes().first(one)};
  const byte_ring up{memory.bytes().subspan(one)};
  const doorbells bells = doorbells::make();
  const doorbells other_bells = doorbells::make();

  const auto take_part = [&](int side) {
    bool written = false;
    std::thread writer{[&] {
      written = write_all(ring_writer{side == 0 ? down : up},
                          side == 0 ? bells.writers : other_bells.writers, total, 3);
    }};
    const bool read = read_all(ring_reader{side == 0 ? up : down},
                               side == 0 ? other_bells.readers : bells.readers, total, 4);
    writer.join();
    return written && read;
  };

  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(take_part(1) ? 0 : 1);
  const bool here = take_part(0);
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(here);
  CHECK(status == 0);
}
