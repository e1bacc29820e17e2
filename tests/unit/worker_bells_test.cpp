// SPDX-License-Identifier: BSL-1.0

// When a worker wakes its parent: if there is news and no other chunk has come, and never for
// nothing.

#include <chrono>

#include <catch2/catch.hpp>

#include "frames.hpp"
#include "ring_wire.hpp"
#include "timing/timing.hpp"
#include "worker/worker_sink.hpp"

namespace {

/// A worker, and a parent that sleeps whenever it is not looking.
struct worker_of_a_sleeper {
  worker_of_a_sleeper() { REQUIRE(wire.sleep()); }

  void begin(chunk_id chunk) {
    wire.claimed->sent();
    REQUIRE(sink.begin(frames::chunk_of(1, chunk),
                       {.longest_wait = timing::longest_silence_when_collected}));
  }
  void work() {
    REQUIRE(sink.allowance() == 1);
    sink.succeeded(1);
    sink.end();
  }

  ring_wire wire;
  worker_sink sink{*wire.link, wire.runtime};
};

}  // namespace

TEST_CASE("given a parent that sleeps, when there is news, then it is woken once for it") {
  worker_of_a_sleeper it;
  it.wire.link->send(message::ready{});
  CHECK(it.wire.bells() == 0);
  it.wire.link->flush();
  CHECK(it.wire.bells() == 1);
  it.wire.take_in();
  REQUIRE(it.wire.sleep());
  it.wire.link->flush();
  CHECK(it.wire.bells() == 0);
}

TEST_CASE("given nothing to tell, when a worker begins a chunk, then its parent sleeps on") {
  worker_of_a_sleeper it;
  it.begin(1);
  CHECK(it.wire.bells() == 0);
}

TEST_CASE("given a result, when the last chunk that has come begins, then the parent is woken") {
  worker_of_a_sleeper it;
  it.begin(1);
  it.work();
  it.begin(2);
  CHECK(it.wire.bells() == 1);
  it.wire.take_in();
  CHECK(it.wire.values == 1);
}

TEST_CASE("given a result, when another chunk has come, then it may wait for that") {
  worker_of_a_sleeper it;
  it.wire.comes(message_kind::forget);
  it.wire.comes(message_kind::run);
  it.begin(1);
  it.work();
  it.begin(2);
  CHECK(it.wire.bells() == 0);
}

TEST_CASE("given a result, when something else has come than a chunk, then it does not wait") {
  worker_of_a_sleeper it;
  it.wire.comes(message_kind::forget);
  it.begin(1);
  it.work();
  it.begin(2);
  CHECK(it.wire.bells() == 1);
  CHECK(it.wire.link->next()->header.kind == message_kind::forget);
}

TEST_CASE(
    "given a chunk of many items, when it was silent for long enough, then the parent is woken") {
  worker_of_a_sleeper it;
  it.wire.claimed->sent();
  REQUIRE(
      it.sink.begin(frames::chunk_of(10, 1), {.longest_wait = std::chrono::nanoseconds::zero()}));
  REQUIRE(it.sink.allowance() > 0);
  it.sink.succeeded(1);
  CHECK(it.wire.bells() == 0);
  REQUIRE(it.sink.allowance() > 0);
  CHECK(it.wire.bells() == 1);
  it.wire.take_in();
  CHECK(it.wire.values == 1);
}
