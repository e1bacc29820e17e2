// SPDX-License-Identifier: BSL-1.0

// Results that a worker without shared memory has not sent: its parent is told of them meanwhile.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "worker/worker_sink.hpp"
#include "worker_wire.hpp"

namespace {

using namespace coterie::detail;
using namespace std::chrono_literals;

void succeed(worker_sink& sink, const frames::bytes& result) {
  sink.results().append(result.data(), result.size());
  sink.succeeded(1);
}

void fail(worker_sink& sink) {
  try {
    throw std::runtime_error{"fails"};
  } catch (...) {
    sink.failed();
  }
}

/// The parent: takes in what comes, and sees that each item comes once, in order.
struct parent {
  explicit parent(worker_wire& from) : wire{from} {}

  void take_in() {
    for (const auto& each : wire.sent()) {
      const frame_header& header = each.header;
      if (header.kind == message_kind::done) {
        finished = 0;
        continue;
      }
      REQUIRE(frames::results_of(header).first == finished);
      if (header.kind != message_kind::values) {
        ++finished;
        continue;
      }
      REQUIRE(frames::results_of(header).count > 0);
      finished += frames::results_of(header).count;
      payload.insert(payload.end(), each.payload.begin(), each.payload.end());
      ++frames;
      if (frames::ends_chunk(header)) finished = 0;
    }
  }
  std::size_t known() {
    take_in();
    return finished;
  }

  worker_wire& wire;
  std::size_t finished = 0;  // items of the chunk
  std::size_t frames = 0;    // with results
  frames::bytes payload;
};

}  // namespace

TEST_CASE("given results that are open, when they are told, then each comes once and in order") {
  worker_wire wire;
  parent seen{wire};
  worker_sink sink{*wire.link, wire.runtime};
  sink.begin(frames::chunk_of(5), {});
  frames::bytes all;
  for (unsigned item = 0; item < 5; ++item) {
    const auto result = frames::pattern(16, item);
    all.insert(all.end(), result.begin(), result.end());
    succeed(sink, result);
    CHECK(seen.known() == (item <= 2 ? 0 : 3));
    if (item == 2) {
      wire.tell();
      CHECK(seen.known() == 3);
    }
  }
  sink.end();
  CHECK(seen.frames == 1);
  seen.take_in();
  CHECK(seen.frames == 2);
  CHECK(seen.payload == all);
}

TEST_CASE("given nothing new, when it is told, then nothing is sent") {
  worker_wire wire;
  worker_sink sink{*wire.link, wire.runtime};
  wire.tell();
  sink.begin(frames::chunk_of(3), {});
  wire.tell();
  CHECK(wire.sent().empty());
  succeed(sink, frames::pattern(4));
  wire.tell();
  CHECK(wire.sent().size() == 1);
  wire.tell();
  sink.results().append(frames::pattern(3).data(), 3);  // half of a result
  wire.tell();
  CHECK(wire.sent().empty());
  sink.end();
  // All results had been told: only the end comes.
  const auto end = wire.sent();
  REQUIRE(end.size() == 1);
  CHECK(end[0].header.kind == message_kind::done);
  wire.tell();
  CHECK(wire.sent().empty());
}

TEST_CASE("given results without bytes, when they are told, then they count") {
  worker_wire wire;
  parent seen{wire};
  worker_sink sink{*wire.link, wire.runtime};
  sink.begin(frames::chunk_of(7), {});
  for (int item = 0; item < 4; ++item) sink.succeeded(1);
  CHECK(seen.known() == 0);
  wire.tell();
  CHECK(seen.known() == 4);
  sink.succeeded(3);
  wire.tell();
  CHECK(seen.known() == 7);
}

TEST_CASE("given many results in a row, when they are told in between, then each is known") {
  worker_wire wire;
  parent seen{wire};
  worker_sink sink{*wire.link, wire.runtime};
  sink.begin(frames::chunk_of(100), {});
  for (std::size_t row = 0; row < 10; ++row) {
    std::byte* const to = sink.results().extend(10 * sizeof(int));
    result_progress progress = sink.progress();
    for (std::size_t item = 0; item < 10; ++item) {
      new (to + item * sizeof(int)) int{0};
      progress.add(sizeof(int));
      wire.tell();
      REQUIRE(seen.known() == 10 * row + item + 1);
    }
    sink.succeeded(10);
  }
  sink.end();
  CHECK(seen.payload.size() == 100 * sizeof(int));
}

TEST_CASE("given a failure behind results that were told, when it comes, then the order is kept") {
  worker_wire wire;
  parent seen{wire};
  worker_sink sink{*wire.link, wire.runtime};
  sink.begin(frames::chunk_of(5), {});
  succeed(sink, frames::pattern(4));
  wire.tell();
  succeed(sink, frames::pattern(4));
  fail(sink);
  CHECK(seen.known() == 3);
  succeed(sink, frames::pattern(4));
  wire.tell();
  CHECK(seen.known() == 4);
}

TEST_CASE("given a chunk that is run, when results are told at any time, then each comes once") {
  // Some fill the space, some do not fit into it, some go into a buffer that others are in already.
  const std::vector<std::size_t> sizes =
      GENERATE(std::vector<std::size_t>{8}, std::vector<std::size_t>{0},
               std::vector<std::size_t>{9'000}, std::vector<std::size_t>{100'000},
               std::vector<std::size_t>{16, 160'000, 32, 64'000, 120'000});
  worker_wire wire;
  parent seen{wire};
  worker_sink sink{*wire.link, wire.runtime};
  frames::bytes all;
  std::minstd_rand random{7};
  for (chunk_id chunk = 1; chunk <= 3; ++chunk) {
    constexpr std::size_t items = 60;
    sink.begin(frames::chunk_of(items, chunk), {});
    for (std::size_t item = 0; item < items; ++item) {
      INFO("item " << item << ", results of " << sizes.front() << " bytes and so on");
      if (item % 20 == 19) {
        fail(sink);
      } else {
        const auto result =
            frames::pattern(sizes[item % sizes.size()], static_cast<unsigned>(item));
        all.insert(all.end(), result.begin(), result.end());
        succeed(sink, result);
      }
      if (random() % 3 == 0) {
        wire.tell();
        REQUIRE(seen.known() == item + 1);
      }
      seen.take_in();
      if (item + 1 < items) REQUIRE(sink.allowance() > 0);
    }
    REQUIRE(seen.known() <= items);
    sink.end();
    seen.take_in();
    REQUIRE(seen.finished == 0);
  }
  CHECK(seen.payload == all);
}

TEST_CASE("given an item that goes on, when time passes, then the results before it come") {
  worker_wire wire{100us};
  parent seen{wire};
  worker_sink sink{*wire.link, wire.runtime};
  for (chunk_id chunk = 1; chunk <= 3; ++chunk) {
    sink.begin(frames::chunk_of(3, chunk), {.longest_wait = 1h});
    succeed(sink, frames::pattern(4));
    succeed(sink, frames::pattern(4));
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (seen.known() < 2 && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(1ms);
    }
    REQUIRE(seen.finished == 2);
    succeed(sink, frames::pattern(4));
    sink.end();
    CHECK(seen.known() == 0);
    // In this pause the thread may come to rest, and the next chunk wakes it.
    std::this_thread::sleep_for(1ms);
  }
}

TEST_CASE("given a thread that looks all the time, when chunks run, then each result comes once") {
  worker_wire wire{1us};
  parent seen{wire};
  worker_sink sink{*wire.link, wire.runtime};
  std::uint64_t next = 0;
  for (chunk_id chunk = 1; chunk <= 200; ++chunk) {
    constexpr std::size_t items = 300;
    sink.begin(frames::chunk_of(items, chunk), {});
    for (std::size_t item = 0; item < items; ++item) {
      if (item == 250) {
        fail(sink);
        continue;
      }
      ++next;
      sink.results().append(&next, sizeof next);
      sink.succeeded(1);
      if (item % 100 == 99) seen.take_in();
    }
    sink.end();
    seen.take_in();
    REQUIRE(seen.finished == 0);
  }
  REQUIRE(seen.payload.size() == next * sizeof next);
  for (std::uint64_t index = 0; index < next; ++index) {
    std::uint64_t value = 0;
    std::memcpy(&value, seen.payload.data() + index * sizeof value, sizeof value);
    REQUIRE(value == index + 1);
  }
}
