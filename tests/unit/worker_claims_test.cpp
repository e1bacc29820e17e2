// SPDX-License-Identifier: BSL-1.0

// Items that the parent revokes while a worker runs their chunk.

#include <algorithm>
#include <cstddef>
#include <stdexcept>

#include <catch2/catch.hpp>

#include "frames.hpp"
#include "ring_wire.hpp"
#include "worker/worker_sink.hpp"

namespace {

/// A worker that is sent one chunk of job 1, and its parent.
struct worker_at_work {
  explicit worker_at_work(std::size_t count, std::size_t chunksize = 0)
      : run{frames::chunk_of(count)}, items{count} {
    wire.claimed->sent();
    REQUIRE(sink.begin(run, {.chunksize = chunksize}));
  }

  /// Runs the next items, as many as it may before it asks again; returns how many.
  std::size_t run_some() {
    const std::size_t allowed = std::min(sink.allowance(), items - done);
    for (std::size_t item = 0; item < allowed; ++item) sink.succeeded(1);
    done += allowed;
    return allowed;
  }

  message::run run;
  ring_wire wire;
  worker_sink sink{*wire.link, wire.runtime};
  std::size_t items;
  std::size_t done = 0;
};

}  // namespace

TEST_CASE("given a chunk under way, when its rest is revoked, then it ends with what was claimed") {
  worker_at_work it{100};
  const std::size_t first = it.run_some();
  const auto claimed = it.wire.revoke();
  REQUIRE(claimed);
  CHECK(claimed->items == first);
  CHECK(it.run_some() == 0);
  it.sink.end();
  CHECK(it.wire.finished() == first);
}

TEST_CASE("given a chunk that was revoked, when it comes, then the worker says nothing of it") {
  worker_at_work it{3};
  message::run next = it.run;
  next.chunk = 3;
  it.wire.claimed->sent();
  while (it.done < 3) it.run_some();
  REQUIRE(it.wire.revoke());
  it.sink.end();
  CHECK_FALSE(it.sink.begin(next, {}));
  it.wire.link->flush();
  CHECK(it.wire.finished() == 3);
}

TEST_CASE("given a chunk whose items cannot be run, when its rest is revoked, then few fail") {
  worker_at_work it{100};
  const std::size_t first = it.run_some();
  REQUIRE(it.wire.revoke());
  try {
    throw std::runtime_error{"there is no such function"};
  } catch (...) {
    it.sink.fail_rest();
  }
  it.sink.end();
  CHECK(it.wire.finished() == first);
  CHECK(it.wire.failures == 0);
}

TEST_CASE("given chunks that travel together, when some are revoked, then each stays whole") {
  worker_at_work it{100, 10};
  REQUIRE(it.run_some() == 1);
  const auto claimed = it.wire.revoke();
  REQUIRE(claimed);
  CHECK(claimed->items == 1);
  std::size_t run = 1;
  while (const std::size_t more = it.run_some()) run += more;
  CHECK(run == 10);
}
