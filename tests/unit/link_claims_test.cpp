// SPDX-License-Identifier: BSL-1.0

// What the contract of `link` says of claims, on every kind of link.

#include <optional>

#include <catch2/catch.hpp>

#include <coterie/detail/byte_buffer.hpp>

#include "link_wire.hpp"

TEST_CASE("given items, when the rest is revoked, then the worker runs those that it has claimed") {
  const link_kind kind = any_rings();
  CAPTURE(kind.name);
  link_wire wire{kind};
  for (const chunk_id chunk : {2U, 3U}) wire.parent_sends_items(frames::chunk_of(10, chunk));
  wire.parent->wire->flush();
  wire.worker_takes();
  REQUIRE(wire.received.size() == 2);
  SECTION("and it has claimed some") {
    REQUIRE(wire.worker->begin_chunk(0));
    REQUIRE(wire.worker->claim_items_up_to(4, 1));
    const auto seen = wire.parent->wire->claimed();
    REQUIRE(seen == claimed_items{1, 4});
    CHECK(wire.parent->wire->revoke(*seen));
    CHECK_FALSE(wire.worker->claim_items_up_to(5, 1));
    CHECK_FALSE(wire.worker->begin_chunk(0));
  }
  SECTION("and it has claimed more since") {
    REQUIRE(wire.worker->begin_chunk(0));
    const auto seen = wire.parent->wire->claimed();
    REQUIRE(seen == claimed_items{1, 0});
    REQUIRE(wire.worker->claim_items_up_to(4, 1));
    CHECK_FALSE(wire.parent->wire->revoke(*seen));
    CHECK(wire.worker->claim_items_up_to(5, 1));
    CHECK(wire.worker->begin_chunk(0));
    CHECK(wire.parent->wire->claimed() == claimed_items{2, 0});
  }
  SECTION("and it is done with the first") {
    REQUIRE(wire.worker->begin_chunk(0));
    REQUIRE(wire.worker->claim_items_up_to(10, 1));
    wire.worker->send(message::done{.job = 1, .chunk = 2, .busy = 1});
    wire.worker->flush();
    REQUIRE(wire.run_until([&] { return !wire.parent->taken.empty(); }));
    CHECK(wire.parent->wire->revoke({1, 10}));
    CHECK_FALSE(wire.worker->begin_chunk(0));
  }
  SECTION("and a unit that has begun stays") {
    REQUIRE(wire.worker->begin_chunk(0));
    REQUIRE(wire.worker->claim_items_up_to(4, 3));
    CHECK(wire.parent->wire->revoke({1, 4}));
    CHECK(wire.worker->claim_items_up_to(6, 3));
    CHECK_FALSE(wire.worker->claim_items_up_to(7, 3));
  }
  SECTION("and it has begun none") {
    REQUIRE(wire.parent->wire->claimed() == claimed_items{});
    CHECK(wire.parent->wire->revoke({}));
    CHECK_FALSE(wire.worker->begin_chunk(0));
    CHECK_FALSE(wire.worker->begin_chunk(0));
  }
}

TEST_CASE("given a link without memory, when items are revoked, then none are") {
  link_wire wire{over_socket};
  wire.parent_sends_items(frames::chunk_of(10));
  wire.parent->wire->flush();
  const auto seen = wire.parent->wire->claimed();
  REQUIRE(seen == claimed_items{});
  CHECK_FALSE(wire.parent->wire->revoke(*seen));
  wire.worker_takes();
  CHECK(wire.worker->begin_chunk(0));
  CHECK(wire.worker->claim_items_up_to(10, 1));
}

TEST_CASE("given a worker that has ended, when it is asked what it claimed, then that is known") {
  const link_kind kind = any_kind();
  CAPTURE(kind.name);
  link_wire wire{kind};
  wire.parent_sends_items(frames::chunk_of(10));
  wire.parent_sends_items(frames::chunk_of(10, 3));
  wire.parent->wire->flush();
  wire.worker_takes();
  std::optional expected = claimed_items{};
  SECTION("nothing") {}
  SECTION("one item") {
    REQUIRE(wire.worker->begin_chunk(0));
    REQUIRE(wire.worker->claim_items_up_to(1, 1));
    expected = {1, 1};
  }
  SECTION("an item of the next chunk, when the first is done") {
    REQUIRE(wire.worker->begin_chunk(0));
    REQUIRE(wire.worker->claim_items_up_to(10, 1));
    wire.worker->send(message::done{.job = 1, .chunk = 2, .busy = 1});
    wire.worker->flush();
    REQUIRE(wire.worker->begin_chunk(0));
    REQUIRE(wire.worker->claim_items_up_to(1, 1));
    expected = {2, 1};
  }
  SECTION("a chunk that is done") {
    REQUIRE(wire.worker->begin_chunk(0));
    REQUIRE(wire.worker->claim_items_up_to(10, 1));
    wire.worker->send(message::done{.job = 1, .chunk = 2, .busy = 1});
    wire.worker->flush();
    expected = {1, 10};
  }
  SECTION("an item of a chunk that was not sent: that cannot be") {
    for (int i = 0; i < 3; ++i) REQUIRE(wire.worker->begin_chunk(0));
    REQUIRE(wire.worker->claim_items_up_to(1, 1));
    expected = std::nullopt;
  }
  wire.worker_ends();
  wire.parent->wire->finish();
  wire.run_for(seconds{1});
  REQUIRE(wire.parent->told == link_wire::told{"finished"});
  CHECK(wire.parent->wire->claimed() == expected);
}

TEST_CASE("given a link without memory, when a frame claims items, then the link knows of them") {
  link_wire wire{over_socket};
  for (const chunk_id chunk : {2U, 3U}) wire.parent_sends_items(frames::chunk_of(10, chunk));
  wire.parent->wire->flush();
  wire.worker_takes();
  const auto tell = [&](chunk_id chunk) {
    byte_buffer nothing;
    wire.worker->send_results({.job = 1, .chunk = chunk, .first = 1, .count = 2, .claimed = 3},
                              nothing, 0);
  };
  REQUIRE(wire.worker->begin_chunk(0));
  REQUIRE(wire.worker->claim_items_up_to(3, 1));
  tell(2);
  wire.worker->flush();
  wire.run_for(seconds{1});
  CHECK(wire.parent->wire->claimed() == claimed_items{1, 6});
  wire.worker->send(message::done{.job = 1, .chunk = 2, .busy = 1});
  REQUIRE(wire.worker->begin_chunk(0));
  REQUIRE(wire.worker->claim_items_up_to(3, 1));
  tell(3);
  wire.worker->flush();
  wire.run_for(seconds{1});
  CHECK(wire.parent->wire->claimed() == claimed_items{2, 6});
}
