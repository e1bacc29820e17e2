// SPDX-License-Identifier: BSL-1.0

// Results that a worker has not sent when it ends: none of them is lost, whenever that is.

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>
#include <stdexcept>
#include <vector>

#include <catch2/catch.hpp>

#include <coterie/detail/result_progress.hpp>

#include "channel/open_results.hpp"
#include "forked_memory.hpp"
#include "frames.hpp"
#include "ring_wire.hpp"
#include "worker/worker_sink.hpp"

namespace {

using namespace coterie::detail;

constexpr std::size_t size = 256;

struct memory {
  alignas(64) std::array<std::byte, open_results::memory_for(size)> bytes{};
  open_results results{bytes};

  void put(const frames::bytes& payload, std::size_t count) {
    std::ranges::copy(payload, results.space().begin());
    result_progress::store(results.whole(), result_progress::pack(count, payload.size()));
  }
};

}  // namespace

TEST_CASE("given memory of zeros, when it is read, then there are no results") {
  const memory shared;
  byte_buffer copy;
  CHECK_FALSE(shared.results.read(0, copy).has_value());
}

TEST_CASE("given results that were counted, when they are read, then they are the next frame") {
  memory shared;
  shared.results.begin(7, 3, 4, 5);
  shared.put(frames::pattern(24), 3);
  byte_buffer copy;
  const auto found = shared.results.read(7, copy);
  REQUIRE(found.has_value());
  CHECK(found->header.kind == message_kind::values);
  CHECK(frames::results_of(found->header).job == 3);
  CHECK(frames::results_of(found->header).chunk == 4);
  CHECK(frames::results_of(found->header).first == 5);
  CHECK(frames::results_of(found->header).count == 3);
  CHECK(found->header.length == 24);
  CHECK(frames::bytes(found->payload.begin(), found->payload.end()) == frames::pattern(24));
}

TEST_CASE(
    "given results that have been sent since, when they are looked for, then there are none") {
  memory shared;
  shared.results.begin(7, 3, 4, 5);
  shared.put(frames::pattern(24), 3);
  byte_buffer copy;
  CHECK_FALSE(shared.results.read(8, copy).has_value());
  shared.results.begin(8, 3, 4, 8);
  CHECK_FALSE(shared.results.read(8, copy).has_value());
}

TEST_CASE("given results of no bytes, when they are read, then they count") {
  memory shared;
  shared.results.begin(0, 1, 2, 0);
  shared.put({}, 9);
  byte_buffer copy;
  const auto found = shared.results.read(0, copy);
  REQUIRE(found.has_value());
  CHECK(frames::results_of(found->header).count == 9);
  CHECK(found->payload.empty());
}

TEST_CASE("given a count of bytes that are not there, when it is read, then it is not believed") {
  memory shared;
  shared.results.begin(0, 1, 2, 0);
  byte_buffer copy;
  for (const std::size_t lie : {size + 1, std::size_t{0xffff'ffff}}) {
    result_progress::store(shared.results.whole(), result_progress::pack(1, lie));
    CHECK_FALSE(shared.results.read(0, copy).has_value());
  }
}

TEST_CASE("given a chunk that is run, when the worker could end at any item, then none is lost") {
  // Some fill the space, some do not fit into it, some go into a buffer that others are in already.
  const std::vector<std::size_t> sizes = GENERATE(
      std::vector<std::size_t>{8}, std::vector<std::size_t>{0}, std::vector<std::size_t>{9'000},
      std::vector<std::size_t>{100'000}, std::vector<std::size_t>{8, 70'000, 16, 40'000, 40'000});
  ring_wire wire;
  worker_sink sink{*wire.link, wire.runtime};
  constexpr std::size_t items = 200;
  sink.begin(frames::chunk_of(items), {});
  for (std::size_t item = 0; item < items; ++item) {
    INFO("item " << item << ", results of " << sizes.front() << " bytes and so on");
    REQUIRE(wire.finished() == item);
    if (item % 50 == 49) {
      sink.results().append(frames::pattern(3).data(), 3);  // half of a result
      REQUIRE(wire.finished() == item);
      try {
        throw std::runtime_error{"fails"};
      } catch (...) {
        sink.failed();
      }
    } else {
      const std::size_t bytes = sizes[item % sizes.size()];
      // As large results do, it may have to wait for room: the parent reads.
      if (bytes > 0) sink.results().append(frames::pattern(bytes).data(), bytes);
      REQUIRE(wire.finished() == item);
      wire.take_in();
      sink.succeeded(1);
    }
    if (item % 7 == 0) REQUIRE(sink.allowance() > 0);
  }
  REQUIRE(wire.finished() == items);
  sink.end();
  CHECK(wire.finished() == items);
  CHECK(wire.failures == items / 50);
}

TEST_CASE(
    "given results that come and go, when they are read meanwhile, then they are as they say") {
  struct both_see {
    memory results;
    std::atomic<std::uint64_t> sent = 0;
  };
  const forked_memory area{sizeof(both_see)};
  both_see& shared = *new (area.bytes().data()) both_see;
  constexpr std::uint64_t rounds = 200'000;
  // A process: the bytes that are read here may be written there at the same time, as nothing in
  // one process may be. That is noticed after it.
  const pid_t worker = ::fork();
  REQUIRE(worker >= 0);
  if (worker == 0) {
    const open_results& results = shared.results.results;
    for (std::uint64_t round = 1; round <= rounds; ++round) {
      // Before the worker says so itself, as when the parent is quick to take a frame.
      shared.sent = round;
      results.begin(round, 1, round, 0);
      std::memcpy(results.space().data(), &round, sizeof round);
      result_progress::store(results.whole(), result_progress::pack(1, sizeof round));
    }
    ::_exit(0);
  }
  byte_buffer copy;
  std::uint64_t wrong = 0;
  while (shared.sent < rounds) {
    const auto found = shared.results.results.read(shared.sent, copy);
    if (!found) continue;
    std::uint64_t value = 0;
    std::memcpy(&value, found->payload.data(), sizeof value);
    wrong += value != frames::results_of(found->header).chunk ? 1 : 0;
  }
  CHECK(wrong == 0);
  int status = -1;
  REQUIRE(::waitpid(worker, &status, 0) == worker);
  CHECK(status == 0);
}

TEST_CASE("given many results in a row, when each is counted, then each is known at once") {
  ring_wire wire;
  worker_sink sink{*wire.link, wire.runtime};
  sink.begin(frames::chunk_of(100), {});
  for (std::size_t row = 0; row < 10; ++row) {
    std::byte* const to = sink.results().extend(10 * sizeof(int));
    result_progress progress = sink.progress();
    for (std::size_t item = 0; item < 10; ++item) {
      REQUIRE(wire.finished() == 10 * row + item);
      new (to + item * sizeof(int)) int{0};
      progress.add(sizeof(int));
    }
    sink.succeeded(10);
  }
  CHECK(wire.finished() == 100);
}

TEST_CASE(
    "given results that were seen while they were open, when they come, then each comes once") {
  memory shared;
  open_results_reader reader{shared.results};
  shared.results.begin(0, 1, 2, 0);
  CHECK_FALSE(reader.check().has_value());
  shared.put(frames::pattern(16), 2);
  const auto early = reader.check();
  REQUIRE(early.has_value());
  CHECK(frames::results_of(early->header).count == 2);
  CHECK_FALSE(reader.check().has_value());
  shared.put(frames::pattern(40), 5);
  const auto more = reader.check();
  REQUIRE(more.has_value());
  CHECK(frames::results_of(more->header).first == 2);
  CHECK(frames::results_of(more->header).count == 3);
  CHECK(more->payload.size() == 24);
  CHECK(more->payload[0] == frames::pattern(40)[16]);

  const auto bytes = frames::pattern(48);
  message::values results{.job = 1, .chunk = 2, .first = 0, .count = 6, .claimed = 0};
  frame sent{.header = frame_header::of(results), .payload = bytes};
  sent.header.length = bytes.size();
  SECTION("with one more behind them") {
    REQUIRE(reader.take(sent));
    CHECK(frames::results_of(sent.header).first == 5);
    CHECK(frames::results_of(sent.header).count == 1);
    CHECK(sent.header.length == 8);
    CHECK(sent.payload[0] == bytes[40]);
  }
  SECTION("with nothing else") {
    results.count = 5;
    sent.header.put(results);
    sent.payload = sent.payload.first(40);
    CHECK_FALSE(reader.take(sent));
  }
  SECTION("with nothing else but the end of the chunk") {
    results.count = 5;
    results.busy = 7;
    sent.header.put(results);
    sent.payload = sent.payload.first(40);
    REQUIRE(reader.take(sent));
    CHECK(frames::results_of(sent.header).count == 0);
    CHECK(frames::results_of(sent.header).busy == 7);
    CHECK(sent.payload.empty());
  }
  SECTION("or less than that, which is a lie") {
    results.count = 4;
    sent.header.put(results);
    CHECK_THROWS_AS(reader.take(sent), bad_frame);
  }
  SECTION("or fewer bytes") {
    sent.payload = sent.payload.first(39);
    CHECK_THROWS_AS(reader.take(sent), bad_frame);
  }
  SECTION("or something else") {
    sent.header.kind = message_kind::done;
    CHECK_THROWS_AS(reader.take(sent), bad_frame);
  }
}
