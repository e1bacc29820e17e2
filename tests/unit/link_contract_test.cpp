// SPDX-License-Identifier: BSL-1.0

// What the contract of `link` says of frames, on every kind of link. See also
// `link_claims_test.cpp`, `link_belief_test.cpp` and `link_ends_test.cpp`.

#include <array>
#include <optional>

#include <catch2/catch.hpp>

#include "link_wire.hpp"
#include "timing/timing.hpp"

namespace {

constexpr std::array<std::size_t, 10> sizes{
    0, 1, 7, 48, 1000, 16'384, 16'385, 300'001, 700'000, std::size_t{1} << 20U};

// Both sides go on in turns, until each has so many frames.
bool exchange(link_wire& wire, std::size_t frames) {
  for (int turns = 0; turns < 10'000; ++turns) {
    wire.run_for(milliseconds{1});
    wire.worker_takes();
    if (wire.parent->taken.size() >= frames && wire.received.size() >= frames) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("given frames of any size, when both sides send, then each arrives once, in its order") {
  const link_kind kind = any_kind();
  CAPTURE(kind.name);
  link_wire wire{kind};
  constexpr std::size_t rounds = 3;
  std::uint64_t number = 0;
  for (std::size_t round = 0; round < rounds; ++round) {
    for (const std::size_t size : sizes) {
      ++number;
      wire.parent_sends(number, size);
      wire.worker_sends(number, size);
      // Some together, and some while others are on their way.
      if (number % 3 == 0) wire.parent->wire->flush();
      if (number % 4 == 0) wire.worker->flush();
      if (number % 5 == 0) wire.run_for(microseconds{100});
      if (number % 7 == 0) wire.worker_takes();
    }
  }
  wire.parent->wire->flush();
  wire.worker->flush();
  REQUIRE(exchange(wire, number));
  REQUIRE(wire.parent->taken.size() == number);
  REQUIRE(wire.received.size() == number);
  for (std::uint64_t i = 0; i < number; ++i) {
    REQUIRE(is_frame(wire.parent->taken[i], i + 1, sizes.at(i % sizes.size())));
    REQUIRE(is_frame(wire.received[i], i + 1, sizes.at(i % sizes.size())));
  }
  CHECK(wire.parent->told.empty());
}

TEST_CASE("given large items and results, when they are sent, then they arrive whole") {
  const link_kind kind = any_kind();
  CAPTURE(kind.name);
  link_wire wire{kind};
  constexpr std::size_t size = 700'001;
  for (chunk_id chunk = 1; chunk <= 6; ++chunk) {
    wire.parent_sends_items(frames::chunk_of(1, chunk), size);
    wire.parent->wire->flush();
    byte_buffer results{wire.worker->memory_for_results()};
    const auto bytes = frames::pattern(size, static_cast<unsigned>(chunk));
    results.append(bytes.data(), bytes.size());
    wire.worker->send_results({.job = chunk, .chunk = chunk, .first = 0, .count = 1, .claimed = 0},
                              results, 0);
    wire.worker->flush();
  }
  REQUIRE(exchange(wire, 6));
  for (std::uint64_t i = 0; i < 6; ++i) {
    CHECK(is_frame(wire.parent->taken[i], i + 1, size));
    CHECK(wire.received[i].header.as<message::run>().chunk == i + 1);
    CHECK(wire.received[i].payload == frames::pattern(size, static_cast<unsigned>(i + 1)));
  }
}

TEST_CASE("given queued frames, when they are not flushed, then they do not leave") {
  const link_kind kind = any_kind();
  CAPTURE(kind.name);
  link_wire wire{kind};
  wire.parent_sends(1, 100);
  wire.worker_sends(1, 100);
  wire.run_for(seconds{5});
  wire.worker_takes();
  CHECK(wire.received.empty());
  CHECK(wire.parent->taken.empty());
  wire.parent->wire->flush();
  wire.worker->flush();
  CHECK(exchange(wire, 1));
}

TEST_CASE("given a function of a link, when it is called, then it tells nothing itself") {
  const link_kind kind = any_kind();
  CAPTURE(kind.name);
  link_wire wire{kind, false};
  wire.worker_sends(1, 10);
  wire.worker->flush();
  wire.start();
  wire.parent_sends(1, 10);
  wire.parent->wire->flush();
  CHECK(wire.parent->calls == 0);
  wire.parent->wire->finish();
  CHECK(wire.parent->calls == 0);
  CHECK(wire.parent->told.empty());
}

// ---- one side that does not read --------------------------------------------------------------

TEST_CASE("given a worker that reads nothing, when more is sent, then all arrives later") {
  const link_kind kind = any_kind();
  CAPTURE(kind.name);
  link_wire wire{kind};
  constexpr std::uint64_t count = 60;
  for (std::uint64_t i = 1; i <= count; ++i) {
    wire.parent_sends(i, 50'000 + i);
    wire.parent->wire->flush();
    wire.worker_sends(i, 10);
  }
  wire.run_for(seconds{5});
  CHECK(wire.received.empty());
  wire.worker->flush();
  REQUIRE(exchange(wire, count));
  for (std::uint64_t i = 1; i <= count; ++i) {
    CHECK(is_frame(wire.received[i - 1], i, 50'000 + i));
  }
}

TEST_CASE("given a worker with more to say than fits, when the parent runs, then it goes on") {
  const link_kind kind = any_kind();
  CAPTURE(kind.name);
  link_wire wire{kind};
  std::size_t waits = 0;
  wire.runtime.while_it_waits = [&] {
    ++waits;
    wire.run_for(seconds{1});
  };
  constexpr std::uint64_t count = 60;
  for (std::uint64_t i = 1; i <= count; ++i) wire.worker_sends(i, 50'000 + i);
  wire.worker->flush();
  CHECK(waits > 0);
  REQUIRE(wire.run_until([&] { return wire.parent->taken.size() == count; }));
  for (std::uint64_t i = 1; i <= count; ++i) {
    CHECK(is_frame(wire.parent->taken[i - 1], i, 50'000 + i));
  }
}

TEST_CASE("given a worker that publishes on and on, when a turn is over, then the next follows") {
  const link_kind kind = any_kind();
  CAPTURE(kind.name);
  link_wire wire{kind};
  wire.parent->expected = expected_news::none;
  constexpr std::uint64_t count = 400;
  std::uint64_t sent = 1;
  wire.worker_sends(sent, 5000);
  wire.worker->flush();
  wire.parent->when_taken = [&] {
    if (sent == count) return;
    wire.worker_sends(++sent, 5000);
    wire.worker->publish();
  };
  CHECK(wire.run_until([&] { return wire.parent->taken.size() == count; }));
  CHECK(is_frame(wire.parent->taken.back(), count, 5000));
}

// ---- what is not announced --------------------------------------------------------------------

TEST_CASE("given a result that was not announced, when time passes, then it is told") {
  const link_kind kind = GENERATE(over_rings, over_small_rings);
  CAPTURE(kind.name);
  link_wire wire{kind};
  wire.parent->expected = expected_news::silent;
  wire.parent_sends_items(frames::chunk_of(10));
  wire.parent->wire->flush();
  const auto taken = [&] { return wire.parent->taken.size() == 1; };
  // A socket may be as late, and a bell is heard by it.
  constexpr auto late = milliseconds{50};
  SECTION("by a bell, soon") {
    wire.run_for(seconds{20});
    wire.worker_sends(1, 10);
    wire.worker->flush();
    CHECK(wire.time_until(taken) <= late);
  }
  SECTION("sent at once, within the time of a check") {
    wire.worker_sends(1, 10);
    wire.worker->publish();
    CHECK(wire.time_until(taken) <= timing::link_check + milliseconds{1});
  }
  SECTION("shown at once, within the time of a check") {
    wire.worker->open().begin(0, 1, 2, 0);
    result_progress::store(wire.worker->open().whole(), result_progress::pack(1, 10));
    CHECK(wire.time_until(taken) <= timing::link_check + milliseconds{1});
  }
  SECTION("after a silence, within as much time again") {
    const auto silence = GENERATE(milliseconds{10}, milliseconds{57}, milliseconds{390});
    wire.run_for(silence);
    wire.worker_sends(1, 10);
    wire.worker->publish();
    CHECK(wire.time_until(taken) <= silence + 2 * timing::link_check);
  }
  SECTION("after a long silence, within the longest time of a check") {
    wire.run_for(std::chrono::minutes{10});
    wire.worker_sends(1, 10);
    wire.worker->publish();
    CHECK(wire.time_until(taken) <= timing::idle_link_check + milliseconds{1});
  }
  SECTION("after news, as soon as at first") {
    wire.run_for(seconds{30});
    wire.worker_sends(1, 10);
    wire.worker->flush();
    CHECK(wire.run_until(taken));
    wire.worker_sends(2, 10);
    wire.worker->publish();
    CHECK(wire.time_until([&] { return wire.parent->taken.size() == 2; }) <=
          timing::link_check + milliseconds{1});
  }
}

TEST_CASE("given news that a worker announces, when nothing comes, then checks are rare") {
  const link_kind kind = any_rings();
  CAPTURE(kind.name);
  link_wire wire{kind};
  wire.parent_sends_items(frames::chunk_of(1));
  wire.parent->wire->flush();
  wire.run_for(timing::idle_link_check / 2);
  wire.worker_sends(1, 10);
  wire.worker->publish();
  const auto taken = [&] { return wire.parent->taken.size() == 1; };
  CHECK(wire.time_until(taken) >= timing::idle_link_check / 4);
}

TEST_CASE("given a link that polls, when a frame comes without a bell, then it is found") {
  link_wire wire{over_polled_rings};
  wire.parent_sends_items(frames::chunk_of(1));
  wire.parent->wire->flush();
  wire.run_for(microseconds{10});
  wire.worker_sends(1, 10);
  wire.worker->publish();
  CHECK_FALSE(wire.transport->notify());  // the parent does not sleep
  CHECK(wire.time_until([&] { return wire.parent->taken.size() == 1; }) < microseconds{20});
}
