// SPDX-License-Identifier: BSL-1.0

// What the contract of `link` says of a worker that cannot be believed, on every kind of link.

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cstring>
#include <fstream>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "channel/doorbell.hpp"
#include "link_wire.hpp"
#include "support/sanitized.hpp"
#include "timing/timing.hpp"

namespace {

// The worker cannot be believed: that is told once, by `next`, which says so for ever.
void check_disbelief(link_wire& wire) {
  CHECK(wire.run_until([&] { return !wire.parent->errors.empty(); }));
  const auto calls = wire.parent->calls;
  wire.run_for(seconds{10});
  CHECK(wire.parent->calls == calls);
  CHECK(wire.parent->errors.size() == 1);
  for (int i = 0; i < 3; ++i) CHECK_THROWS_AS(wire.parent->wire->next(), bad_frame);
  CHECK(wire.parent->told.empty());
  wire.worker_ends();
  wire.parent->wire->finish();
  wire.run_for(seconds{10});
  CHECK(wire.parent->told == link_wire::told{"finished"});
  CHECK(wire.parent->calls == calls);
  CHECK_FALSE(wire.parent->wire->claimed().has_value());
}

// How much this process has of its addresses.
rlim_t addresses_in_use() {
  rlim_t pages = 0;
  std::ifstream{"/proc/self/statm"} >> pages;
  return pages * 4096;
}

}  // namespace

TEST_CASE("given a worker that writes no frames, when they come, then that is an error for ever") {
  const link_kind kind = any_kind();
  CAPTURE(kind.name);
  link_wire wire{kind};
  wire.parent_sends_items(frames::chunk_of(10));
  wire.parent->wire->flush();
  wire.worker_sends(1, 33);
  wire.worker->flush();
  frames::bytes bytes;
  SECTION("and they are nonsense") { bytes = frames::pattern(5000); }
  SECTION("and the kind is unknown") {
    frames::append(bytes, frames::header(static_cast<message_kind>(200), 1), {});
  }
  SECTION("and the length is impossible") {
    auto header = frames::header(message_kind::failure, 1);
    header.length = std::numeric_limits<std::uint64_t>::max();
    bytes.resize(sizeof header);
    std::memcpy(bytes.data(), &header, sizeof header);
  }
  SECTION("and they are of memory that there is not") {
    auto header = frames::header(message_kind::values, 1);
    header.segment = 7;
    frames::append(bytes, header, frames::pattern(16));
    bytes.resize(sizeof header);
  }
  SECTION("and they ask for memory that no link has") {
    frames::append(bytes, frame_header::of(message::want_segment{.segment = 99, .size = 1}), {});
  }
  SECTION("and they speak of memory as the parent does") {
    frames::append(bytes, frames::header(message_kind::argument_segment, 1), {});
  }
  // What comes behind it is not believed either.
  frames::append(bytes, frames::header(message_kind::failure, 2), {});
  wire.worker_writes(bytes);
  CHECK(wire.run_until([&] { return !wire.parent->errors.empty(); }));
  REQUIRE(wire.parent->taken.size() == 1);
  CHECK(is_frame(wire.parent->taken[0], 1, 33));
  check_disbelief(wire);
}

TEST_CASE(
    "given a worker that scribbles over rings, when the parent looks, then that is an error") {
  const link_kind kind = any_rings();
  CAPTURE(kind.name);
  link_wire wire{kind};
  constexpr std::uint64_t nonsense = std::uint64_t{1} << 40U;
  SECTION("and it is the socket") { REQUIRE(::send(wire.socket.get(), "nonsense", 8, 0) == 8); }
  SECTION("and it is where it says that it has written") {
    wire.shared().to_parent.words().head = nonsense;
    ring_doorbell(wire.socket.get());
  }
  SECTION("and it is where it says that it has read") {
    wire.run_for(seconds{1});
    wire.shared().to_worker.words().tail = nonsense;
    for (std::uint64_t i = 1; i <= 9; ++i) wire.parent_sends(i, 50'000);
    wire.parent->wire->flush();
    CHECK(wire.parent->calls == 0);  // told in a turn of its own, and soon
    CHECK(wire.time_until([&] { return !wire.parent->errors.empty(); }) < milliseconds{100});
  }
  SECTION("and it is what it says that it has claimed") {
    wire.parent_sends_items(frames::chunk_of(10));
    wire.parent->wire->flush();
    wire.shared().claimed.word() = nonsense + 77;
    CHECK_FALSE(wire.parent->wire->claimed().has_value());
    CHECK_FALSE(wire.parent->wire->revoke({}));
  }
  SECTION("and it sends other results than it has shown") {
    wire.parent_sends_items(frames::chunk_of(10));
    wire.parent->wire->flush();
    wire.worker->begin_results(1, 2, 0);
    result_progress::store(wire.worker->open().whole(), result_progress::pack(2, 20));
    // No frames were sent, and not one.
    wire.worker->open().begin(0, 1, 2, 0);
    result_progress::store(wire.worker->open().whole(), result_progress::pack(2, 20));
    CHECK(wire.run_until([&] { return wire.parent->taken.size() == 1; }));
    wire.worker_sends(1, 10);
    wire.worker_sends(2, 10);
    wire.worker->flush();
  }
  check_disbelief(wire);
}

TEST_CASE("given rings with nonsense, when a link starts, then that is told in a turn of its own") {
  const link_kind kind = any_rings();
  CAPTURE(kind.name);
  link_wire wire{kind, false};
  wire.shared().to_parent.words().head = std::uint64_t{1} << 40U;
  wire.start();
  CHECK(wire.parent->calls == 0);
  check_disbelief(wire);
}

TEST_CASE("given open results that cannot be, when the parent looks, then it takes none") {
  const link_kind kind = any_rings();
  CAPTURE(kind.name);
  link_wire wire{kind};
  wire.parent_sends_items(frames::chunk_of(10));
  wire.parent->wire->flush();
  wire.worker->open().begin(0, 1, 2, 0);
  result_progress::store(wire.worker->open().whole(), result_progress::pack(1, 0xffff'fff0));
  wire.run_for(seconds{10});
  CHECK(wire.parent->taken.empty());
  CHECK(wire.parent->errors.empty());
}

TEST_CASE("given a worker that writes over the parent's flags, when time passes, then it goes on") {
  const link_kind kind = GENERATE(over_rings, over_small_rings);
  CAPTURE(kind.name);
  link_wire wire{kind};
  SECTION("by which the parent says that it sleeps") {
    wire.parent_sends_items(frames::chunk_of(1));
    wire.parent->wire->flush();
    wire.run_for(milliseconds{1});
    wire.shared().to_parent.words().reader_sleeps = 0;
    wire.runtime.while_it_waits = [&] {
      CHECK(wire.run_until([&] {
        pollfd bell{wire.socket.get(), POLLIN, 0};
        return ::poll(&bell, 1, 0) > 0;
      }));
    };
    const auto begin = wire.loop->now();
    wire.worker_sends(1, 40 * kind.settings.capacity);
    wire.worker->flush();
    CHECK(wire.run_until([&] { return wire.parent->taken.size() == 1; }));
    // One check finds what is in the ring. From then on there are bells.
    CHECK(wire.loop->now() - begin < 2 * timing::idle_link_check + seconds{1});
  }
  SECTION("by which the parent says that it waits for room") {
    wire.parent_sends(1, 3 * kind.settings.capacity / 2);
    wire.parent->wire->flush();
    wire.run_for(milliseconds{1});
    REQUIRE(wire.shared().to_worker.words().writer_waits != 0);
    wire.shared().to_worker.words().writer_waits = 0;
    CHECK(wire.run_until([&] {
      wire.worker_takes();
      return wire.received.size() == 1;
    }));
  }
}

TEST_CASE("given a frame that announces more than fits into memory, then that is an error") {
  if (test::sanitized) return;  // an allocator of a sanitizer ends the process
  const link_kind kind = any_kind();
  CAPTURE(kind.name);
  link_wire wire{kind};
  auto header = frames::header(message_kind::failure, 1);
  header.length = longest_payload;
  frames::bytes bytes(sizeof header);
  std::memcpy(bytes.data(), &header, sizeof header);
  wire.worker_writes(bytes);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_AS, &before) == 0);
  const rlimit little{.rlim_cur = addresses_in_use(), .rlim_max = before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_AS, &little) == 0);
  // What the allocator has already, but for a little.
  std::vector<std::unique_ptr<std::byte[]>> rest;
  rest.reserve(10'000);
  do {
    rest.emplace_back(new (std::nothrow) std::byte[std::size_t{1} << 20U]);
  } while (rest.back());
  const bool told = wire.run_until([&] { return !wire.parent->errors.empty(); });
  const auto errors = wire.parent->errors;
  rest.clear();
  REQUIRE(::setrlimit(RLIMIT_AS, &before) == 0);
  CHECK(told);
  CHECK(errors == std::vector<std::string>{"it announced a message that does not fit into memory"});
  check_disbelief(wire);
}
