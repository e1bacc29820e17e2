// SPDX-License-Identifier: BSL-1.0

// Both ends of a channel in one process, with real memory and a real socket.

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "channel/byte_ring.hpp"
#include "channel/doorbell.hpp"
#include "channel/ring_channel.hpp"
#include "messages/frame.hpp"
#include "support/child.hpp"
#include "support/processes.hpp"
#include "system/file_identity.hpp"
#include "system/futex.hpp"
#include "system/unique_descriptor.hpp"

namespace {

using namespace coterie::detail;
using arrival = ring_channel::arrival;

constexpr std::size_t capacity = 64;
// Of a sleep that is to be ended before.
constexpr std::chrono::seconds deadline{10};

/// One end, as its user sees it.
struct channel_end {
  channel_end(unique_descriptor own, byte_ring in, byte_ring out)
      : socket{std::move(own)}, channel{socket.get(), in, out} {}

  std::size_t write(std::size_t count) {
    std::vector<std::byte> bytes(count);
    for (std::byte& each : bytes) each = static_cast<std::byte>(written++);
    const iovec piece{.iov_base = bytes.data(), .iov_len = bytes.size()};
    const std::size_t done = channel.write({&piece, 1});
    written -= count - done;
    return done;
  }
  std::size_t read(std::size_t most) {
    std::vector<std::byte> bytes(most);
    const std::size_t done = channel.read(bytes);
    for (std::size_t at = 0; at < done; ++at) {
      REQUIRE(bytes[at] == static_cast<std::byte>(taken++));
    }
    return done;
  }
  /// Bells that wait on the socket.
  [[nodiscard]] int bells() const {
    int count = 0;
    REQUIRE(::ioctl(socket.get(), FIONREAD, &count) == 0);
    return count;
  }

  unique_descriptor socket;
  ring_channel channel;
  std::size_t written = 0;
  std::size_t taken = 0;
};

/// A channel. Its ends are alike: `mirrored` swaps them.
struct both_ends {
  explicit both_ends(bool mirrored = false) {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
      throw std::system_error{errno, std::generic_category()};
    }
    const byte_ring one{places[mirrored ? 1 : 0]};
    const byte_ring two{places[mirrored ? 0 : 1]};
    here.emplace(unique_descriptor{pair[0]}, one, two);
    there.emplace(unique_descriptor{pair[1]}, two, one);
  }

  struct alignas(64) place : std::array<std::byte, byte_ring::memory_for(capacity)> {};
  std::array<place, 2> places{};
  std::optional<channel_end> here;
  std::optional<channel_end> there;
};

}  // namespace

// ---- bells ------------------------------------------------------------------------------------

TEST_CASE("given an end that sleeps, when it is notified of bytes, then it has one bell") {
  both_ends ends{GENERATE(false, true)};
  REQUIRE(ends.there->channel.prepare_sleep());
  CHECK(ends.here->write(10) == 10);
  CHECK(ends.there->bells() == 0);
  CHECK(ends.here->channel.notify());
  CHECK(ends.there->bells() == 1);
  ends.here->write(10);
  CHECK_FALSE(ends.here->channel.notify());
  CHECK(ends.there->bells() == 1);
  CHECK(ends.there->channel.receive() == arrival::bells);
  CHECK(ends.there->channel.receive() == arrival::nothing);
  CHECK(ends.there->channel.readable() == 20);
  CHECK(ends.there->read(100) == 20);
}

TEST_CASE(
    "given an end that sleeps on its word, when it is notified, then it wakes without a bell") {
  both_ends ends{GENERATE(false, true)};
  const bool of_the_end = GENERATE(false, true);
  REQUIRE(ends.there->channel.prepare_sleep(wake_by::futex));
  bool woken = false;
  std::atomic<pid_t> sleeper_id = 0;
  std::thread sleeper{[&] {
    sleeper_id = ::gettid();
    woken = wait_on_word(ends.there->channel.sleep_word(), ring_reader::sleep_value, deadline);
  }};
  CHECK(test::eventually(
      [&] { return sleeper_id != 0 && test::status_of(sleeper_id).state == 'S'; }));
  if (of_the_end) {
    ends.here->channel.notify_of_end();
  } else {
    ends.here->write(1);
    CHECK(ends.here->channel.notify());
  }
  sleeper.join();
  CHECK(woken);
  CHECK(ends.there->bells() == 0);
}

TEST_CASE("given a word that has changed, when a side is to sleep on it, then it does not") {
  const std::uint64_t word = 0x1'0000'0005;
  CHECK(wait_on_word(word, 6, deadline));
  CHECK_FALSE(wait_on_word(word, 5, std::chrono::nanoseconds{1}));
}

TEST_CASE("given an end that is awake, when it is notified, then it has no bell") {
  both_ends ends{GENERATE(false, true)};
  SECTION("because it has never slept") {}
  SECTION("because it sleeps no more") {
    REQUIRE(ends.there->channel.prepare_sleep());
    ends.there->channel.stop_sleeping();
  }
  ends.here->write(1);
  CHECK_FALSE(ends.here->channel.notify());
  CHECK(ends.there->bells() == 0);
}

TEST_CASE("given something to read, when an end is about to sleep, then it does not") {
  both_ends ends{GENERATE(false, true)};
  ends.here->write(1);
  CHECK_FALSE(ends.there->channel.prepare_sleep());
  CHECK_FALSE(ends.here->channel.notify());
}

TEST_CASE("given an end that waits for room, when there is as much, then it has one bell") {
  both_ends ends{GENERATE(false, true)};
  REQUIRE(ends.here->write(100) == capacity);
  CHECK(ends.here->write(1) == 0);
  REQUIRE(ends.here->channel.prepare_wait(20));
  CHECK(ends.there->read(19) == 19);
  CHECK(ends.here->bells() == 0);
  CHECK(ends.there->read(1) == 1);
  CHECK(ends.here->bells() == 1);
  CHECK(ends.there->read(capacity) == capacity - 20);
  CHECK(ends.here->bells() == 1);
  CHECK(ends.here->channel.all_is_read());
}

TEST_CASE("given an end that wants much room, when half of the ring is free, then it has a bell") {
  both_ends ends{GENERATE(false, true)};
  ends.here->write(capacity);
  REQUIRE(ends.here->channel.prepare_wait(10 * capacity));
  ends.there->read(capacity / 2 - 1);
  CHECK(ends.here->bells() == 0);
  ends.there->read(1);
  CHECK(ends.here->bells() == 1);
}

TEST_CASE("given room, when an end is about to wait for it, then it does not") {
  both_ends ends{GENERATE(false, true)};
  ends.here->write(10);
  CHECK_FALSE(ends.here->channel.prepare_wait(10));
  ends.there->read(10);
  CHECK(ends.here->bells() == 0);
  CHECK(ends.here->channel.all_is_read());
}

TEST_CASE("given an end that waits no more, when there is room, then it has no bell") {
  both_ends ends{GENERATE(false, true)};
  ends.here->write(capacity);
  REQUIRE(ends.here->channel.prepare_wait(1));
  ends.here->channel.stop_waiting();
  ends.there->read(capacity);
  CHECK(ends.here->bells() == 0);
}

TEST_CASE("given a reader that sleeps, when the writer waits for room, then it wakes it first") {
  both_ends ends{GENERATE(false, true)};
  REQUIRE(ends.there->channel.prepare_sleep());
  ends.here->write(capacity);
  REQUIRE(ends.here->channel.prepare_wait(1));
  CHECK(ends.there->bells() == 1);
}

TEST_CASE("given two ends that act in any order, when each waits as is said, then all arrives") {
  enum class state : std::uint8_t { awake, sleeps, waits };
  struct user {
    channel_end* end;
    bool receives_before;  // the wait, or afterwards
    state now = state::awake;
    bool notified = true;
  };
  constexpr std::size_t bytes = 3000;
  for (unsigned seed = 0; seed < 300; ++seed) {
    INFO("seed " << seed);
    std::minstd_rand random{seed + 1};
    both_ends ends;
    std::array<user, 2> users{user{&*ends.here, seed % 2 == 0}, user{&*ends.there, seed % 3 == 0}};
    const auto is_done = [&](const user& each) {
      return each.end->taken == bytes && each.end->written == bytes && each.notified;
    };
    while (!std::ranges::all_of(users, is_done)) {
      std::vector<user*> able;
      for (user& each : users) {
        if (each.now == state::awake ? !is_done(each) : each.end->bells() > 0) {
          able.push_back(&each);
        }
      }
      REQUIRE_FALSE(able.empty());  // all wait: a bell was lost
      user& turn = *able[random() % able.size()];
      ring_channel& channel = turn.end->channel;
      if (turn.now != state::awake) {
        if (!turn.receives_before) REQUIRE(channel.receive() == arrival::bells);
        channel.stop_sleeping();
        channel.stop_waiting();
        turn.now = state::awake;
        continue;
      }
      const std::size_t more = std::min<std::size_t>(1 + random() % 80, bytes - turn.end->written);
      if (more > 0 && random() % 2 == 0) {
        if (turn.end->write(more) < more) {
          turn.end->read(capacity);
          if (turn.receives_before) channel.receive();
          if (channel.prepare_wait(1 + random() % 80)) turn.now = state::waits;
        }
        turn.notified = false;
      } else if (turn.end->read(1 + random() % 80) == 0) {
        channel.notify();
        turn.notified = true;
        if (turn.end->taken == bytes) continue;
        if (more > 0 && random() % 4 != 0) continue;
        if (turn.receives_before) channel.receive();
        if (channel.prepare_sleep()) turn.now = state::sleeps;
      }
    }
  }
}

// ---- descriptors ------------------------------------------------------------------------------

TEST_CASE("given a descriptor, when a message about it is read, then it can be received") {
  both_ends ends{GENERATE(false, true)};
  const int bells_before = GENERATE(0, 1, 200);
  for (int bell = 0; bell < bells_before; ++bell) ring_doorbell(ends.here->socket.get());
  const unique_descriptor first{::open("/dev/null", O_RDWR | O_CLOEXEC)};
  const unique_descriptor second{::open("/dev/zero", O_RDWR | O_CLOEXEC)};
  REQUIRE(ends.here->channel.send_descriptor(first.get()));
  REQUIRE(ends.here->channel.send_descriptor(second.get()));
  ends.here->write(1);
  REQUIRE(ends.there->read(1) == 1);
  for (const unique_descriptor* const sent : {&first, &second}) {
    unique_descriptor came;
    while (!(came = ends.there->channel.take_descriptor())) {
      REQUIRE(ends.there->channel.receive() == arrival::bells);
    }
    CHECK(came.get() != sent->get());
    CHECK(file_identity::of(came.get()) == file_identity::of(sent->get()));
  }
  CHECK_FALSE(ends.there->channel.take_descriptor());
}

TEST_CASE("given an end that sleeps, when a descriptor is sent, then that wakes it") {
  both_ends ends{GENERATE(false, true)};
  REQUIRE(ends.there->channel.prepare_sleep());
  REQUIRE(ends.here->channel.send_descriptor(STDERR_FILENO));
  CHECK(ends.there->bells() == 1);
}

TEST_CASE("given a socket that is full of bells, when more is sent, then nothing waits for room") {
  both_ends ends{GENERATE(false, true)};
  while (ends.here->channel.send_descriptor(STDERR_FILENO)) {
  }
  ring_doorbell(ends.here->socket.get());
  CHECK(ends.there->bells() > 0);
}

TEST_CASE("given descriptors that no message speaks of, when they come, then that is refused") {
  both_ends ends{GENERATE(false, true)};
  const auto send_and_receive = [&] {
    for (int each = 0; each < 100; ++each) {
      REQUIRE(ends.here->channel.send_descriptor(STDERR_FILENO));
      ends.there->channel.receive();
    }
  };
  CHECK_THROWS_AS(send_and_receive(), bad_frame);
}

TEST_CASE("given a process without descriptors, when one comes, then it is told that it is lost") {
  both_ends ends{GENERATE(false, true)};
  REQUIRE(ends.here->channel.send_descriptor(STDERR_FILENO));
  const int told = test::in_child([&] {
    const rlimit none{.rlim_cur = 0, .rlim_max = 0};
    if (::setrlimit(RLIMIT_NOFILE, &none) != 0) return -1;
    return static_cast<int>(ends.there->channel.receive());
  });
  CHECK(told == static_cast<int>(arrival::lost_descriptor));
}

// ---- the end, and what is not believed --------------------------------------------------------

TEST_CASE("given an end that is closed, when the other receives, then it has all bells before") {
  both_ends ends{GENERATE(false, true)};
  REQUIRE(ends.there->channel.prepare_sleep());
  ends.here->write(3);
  ends.here->channel.notify();
  ends.here.reset();
  CHECK(ends.there->channel.receive() == arrival::bells);
  CHECK(ends.there->channel.receive() == arrival::end);
  CHECK(ends.there->read(10) == 3);
  CHECK_FALSE(ends.there->channel.send_descriptor(STDERR_FILENO));
}

TEST_CASE("given a descriptor that was closed, when its channel receives, then that is an error") {
  both_ends ends{GENERATE(false, true)};
  ends.there->socket.reset();
  CHECK(ends.there->channel.receive() == arrival::error);
}

TEST_CASE("given bytes that are no bells, when they are received, then that is refused") {
  both_ends ends{GENERATE(false, true)};
  const std::array bytes{doorbell, std::byte{0x2a}};
  REQUIRE(::send(ends.here->socket.get(), bytes.data(), bytes.size(), 0) == 2);
  CHECK_THROWS_AS(ends.there->channel.receive(), bad_frame);
  CHECK_THROWS_AS(ring_channel::received(bytes), bad_frame);
  CHECK_NOTHROW(ring_channel::received(std::span{bytes}.first(1)));
  CHECK_NOTHROW(ring_channel::received({}));
}
