// SPDX-License-Identifier: BSL-1.0

// What a worker without shared memory notes of the items that it begins.

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <limits>
#include <optional>

#include <catch2/catch.hpp>

#include "channel/begun_counter.hpp"

namespace {

using coterie::detail::begun_items;
using coterie::detail::begun_reader;
using coterie::detail::begun_writer;
using coterie::detail::unique_descriptor;

/// Both sides of a counter.
struct sides {
  begun_reader parent;
  begun_writer worker{unique_descriptor{::fcntl(parent.descriptor(), F_DUPFD_CLOEXEC, 0)}};
};

}  // namespace

TEST_CASE("given a chunk that was sent, when the worker has not begun it, then none has begun") {
  sides both;
  both.parent.sent(11);
  SECTION("and does not know of it") {}
  SECTION("and has it") { both.worker.begin(); }
  CHECK(both.parent.begun(11, 0) == 0);
}

TEST_CASE(
    "given items that are claimed, when the worker ends, then those not heard of have begun") {
  sides both;
  both.parent.sent(11);
  both.worker.begin();
  REQUIRE(both.worker.claim_up_to(1));
  REQUIRE(both.worker.claim_up_to(6));
  REQUIRE(both.worker.claim_up_to(6));
  SECTION("of none") { CHECK(both.parent.begun(11, 0) == 6); }
  SECTION("of some") { CHECK(both.parent.begun(11, 4) == 2); }
  SECTION("of all") { CHECK(both.parent.begun(11, 6) == 0); }
  SECTION("of more than were claimed when it was revoked") { CHECK(both.parent.begun(11, 7) == 0); }
}

TEST_CASE(
    "given several chunks, when the worker is at one of them, then those behind are not begun") {
  sides both;
  for (const std::uint64_t chunk : {11U, 12U, 13U}) both.parent.sent(chunk);
  both.worker.begin();
  REQUIRE(both.worker.claim_up_to(9));
  both.parent.ended(11);
  both.worker.begin();
  REQUIRE(both.worker.claim_up_to(2));
  SECTION("the one that it is at") { CHECK(both.parent.begun(12, 0) == 2); }
  SECTION("one behind") { CHECK(both.parent.begun(13, 0) == 0); }
}

TEST_CASE("given a worker that is ahead of its word, when it ends, then nothing is believed") {
  sides both;
  both.parent.sent(11);
  both.parent.sent(12);
  both.worker.begin();
  both.worker.begin();
  REQUIRE(both.worker.claim_up_to(1));
  CHECK(both.parent.begun(11, 0) == std::nullopt);
  CHECK(both.parent.begun(99, 0) == std::nullopt);
}

TEST_CASE("given more items than can be told, when they are claimed, then all have begun") {
  sides both;
  both.parent.sent(11);
  both.worker.begin();
  REQUIRE(both.worker.claim_up_to(std::size_t{1} << 40U));
  CHECK(both.parent.begun(11, 5) == std::numeric_limits<std::size_t>::max());
}

TEST_CASE("given a counter that is closed, when items are claimed, then that is said") {
  begun_reader parent;
  const int copy = ::fcntl(parent.descriptor(), F_DUPFD_CLOEXEC, 0);
  begun_writer worker{unique_descriptor{copy}};
  worker.begin();
  REQUIRE(worker.claim_up_to(1));
  const unique_descriptor other{::fcntl(copy, F_DUPFD_CLOEXEC, 0)};
  ::close(copy);
  CHECK_FALSE(worker.claim_up_to(2));
  // Open again, for the destructor.
  REQUIRE(::fcntl(other.get(), F_DUPFD_CLOEXEC, copy) == copy);
}

TEST_CASE("given items that a frame has told of, when the worker ends, then they have begun too") {
  sides both;
  both.parent.sent(11);
  both.parent.sent(12);
  both.worker.begin();
  REQUIRE(both.worker.claim_up_to(1));
  both.parent.told(11, 3);
  SECTION("and no more") { CHECK(both.parent.begun(11, 1) == 2); }
  SECTION("and of no other chunk") { CHECK(both.parent.begun(12, 0) == 0); }
  SECTION("and those that are counted since") {
    REQUIRE(both.worker.claim_up_to(4));
    CHECK(both.parent.begun(11, 2) == 2);
  }
  SECTION("in the next chunk, where nothing is counted") {
    both.parent.ended(11);
    both.parent.told(12, 1);
    CHECK(both.parent.begun(12, 0) == 1);
  }
  SECTION("even if they cannot be") {
    both.parent.told(11, std::numeric_limits<std::uint64_t>::max());
    CHECK(both.parent.begun(11, 0) == std::numeric_limits<std::size_t>::max());
  }
}
