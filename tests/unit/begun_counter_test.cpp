// SPDX-License-Identifier: BSL-1.0

// What a worker without shared memory notes of the items that it claims.

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
using coterie::detail::claimed_items;
using coterie::detail::unique_descriptor;

/// Both sides of a counter.
struct sides {
  begun_reader parent;
  begun_writer worker{unique_descriptor{::fcntl(parent.descriptor(), F_DUPFD_CLOEXEC, 0)}};
};

}  // namespace

TEST_CASE("given a chunk that was sent, when the worker has not begun it, then none is claimed") {
  sides both;
  both.parent.sent();
  SECTION("and does not know of it") {}
  SECTION("and has it") { both.worker.begin(); }
  CHECK(both.parent.claimed() == claimed_items{});
}

TEST_CASE("given items, when they are claimed, then that is known whenever the parent looks") {
  sides both;
  both.parent.sent();
  both.worker.begin();
  REQUIRE(both.worker.claim_up_to(1));
  SECTION("also meanwhile") {
    CHECK(both.parent.claimed() == claimed_items{1, 1});
    CHECK(both.parent.claimed() == claimed_items{1, 1});
  }
  REQUIRE(both.worker.claim_up_to(6));
  REQUIRE(both.worker.claim_up_to(6));
  CHECK(both.parent.claimed() == claimed_items{1, 6});
}

TEST_CASE("given several chunks, when the worker is at one of them, then it is known at which") {
  sides both;
  for (int i = 0; i < 3; ++i) both.parent.sent();
  both.worker.begin();
  REQUIRE(both.worker.claim_up_to(9));
  both.worker.begin();
  REQUIRE(both.worker.claim_up_to(2));
  CHECK(both.parent.claimed() == claimed_items{2, 2});
}

TEST_CASE("given a worker that claims what it was not sent, when that is read, then it is a lie") {
  sides both;
  both.parent.sent();
  both.worker.begin();
  SECTION("by the counter") {
    both.worker.begin();
    REQUIRE(both.worker.claim_up_to(1));
  }
  SECTION("by a frame") {
    both.parent.ended();
    both.parent.told(1);
  }
  CHECK(both.parent.claimed() == std::nullopt);
}

TEST_CASE("given more items than can be told, when they are claimed, then all are") {
  sides both;
  both.parent.sent();
  both.worker.begin();
  REQUIRE(both.worker.claim_up_to(begun_items::most_items - 1));
  CHECK(both.parent.claimed() == claimed_items{1, begun_items::most_items - 1});
  REQUIRE(both.worker.claim_up_to(std::size_t{1} << 40U));
  CHECK(both.parent.claimed() == claimed_items{1, claimed_items::all});
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

TEST_CASE(
    "given items that a frame has told of, when the parent looks, then they are claimed too") {
  sides both;
  both.parent.sent();
  both.parent.sent();
  both.worker.begin();
  REQUIRE(both.worker.claim_up_to(1));
  both.parent.told(3);
  SECTION("and no more") { CHECK(both.parent.claimed() == claimed_items{1, 3}); }
  SECTION("and those that are counted since") {
    REQUIRE(both.worker.claim_up_to(4));
    CHECK(both.parent.claimed() == claimed_items{1, 4});
  }
  SECTION("and not of the next chunk") {
    both.parent.ended();
    both.worker.begin();
    REQUIRE(both.worker.claim_up_to(1));
    CHECK(both.parent.claimed() == claimed_items{2, 1});
  }
  SECTION("in the next chunk, where nothing is counted") {
    both.parent.ended();
    both.parent.told(1);
    CHECK(both.parent.claimed() == claimed_items{2, 1});
  }
  SECTION("even if they cannot be") {
    both.parent.told(std::numeric_limits<std::uint64_t>::max());
    CHECK(both.parent.claimed() == claimed_items{1, claimed_items::all});
  }
}
