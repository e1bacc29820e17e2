// SPDX-License-Identifier: BSL-1.0

// The table of chunks alone: what a chunk has, where it is, and what is left of it.

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <vector>

#include <catch2/catch.hpp>

#include <coterie/detail/byte_buffer.hpp>

#include "schedule/ledger.hpp"

namespace {

using namespace coterie::detail;
using namespace std::chrono_literals;

constexpr job_id job = 7;
constexpr worker_id one = 11;
constexpr worker_id other = 12;

item_range items(std::size_t first, std::size_t count) { return {job, first, count}; }

/// A chunk of `count` items, each of which is expected to take 1 us, that worker `one` holds.
chunk_id give(ledger& book, std::size_t first, std::size_t count) {
  const chunk_id id = book.open(job, one, first);
  book.fill(id, count, 1us * static_cast<int>(count), std::make_shared<byte_buffer>());
  return id;
}

}  // namespace

TEST_CASE(
    "given a chunk that is cut in two, when the second part waits, then both share the rest") {
  ledger book;
  const chunk_id whole = give(book, 100, 10);
  REQUIRE(book.items_done(one, whole, 2));
  const auto back = book.revoke(one, whole, 6);
  REQUIRE(back.size() == 1);
  const auto& kept = book.at(whole);
  const auto& rest = book.at(back.front());
  CHECK(kept.end == 6);
  CHECK(kept.shortened);
  CHECK(kept.expected == 6us);
  CHECK(rest.holder == 0);
  CHECK(rest.next_item() == 106);
  CHECK(rest.left() == 4);
  CHECK(rest.expected == 4us);
  CHECK(rest.items == kept.items);
  CHECK(book.held_by(one).expected == 6us);

  book.give(back.front(), other);
  CHECK(book.current(other) == &rest);
  CHECK(rest.begin == 6);
  CHECK_FALSE(rest.shortened);
  CHECK(book.held_by(other).expected == 4us);
}

TEST_CASE(
    "given chunks behind the one that runs, when they are revoked, then they come back whole") {
  ledger book;
  const chunk_id first = give(book, 0, 3);
  const chunk_id second = give(book, 3, 5);
  CHECK(book.held_by(one).expected == 8us);
  SECTION("what runs is kept") {
    CHECK(book.revoke(one, first, 3) == (std::deque<chunk_id>{second}));
    CHECK(book.held_by(one).chunks == (std::deque<chunk_id>{first}));
    CHECK(book.held_by(one).expected == 3us);
  }
  SECTION("nothing is kept") {
    CHECK(book.revoke(one, 0, 0) == (std::deque<chunk_id>{first, second}));
    CHECK(book.current(one) == nullptr);
    CHECK(book.held_by(one).expected == 0us);
  }
}

TEST_CASE("given the chunk in front, when it is over, then the next is in front") {
  ledger book;
  const chunk_id first = give(book, 0, 1);
  const chunk_id second = give(book, 1, 1);
  CHECK(book.is_current(one, first));
  CHECK_FALSE(book.is_current(one, second));
  CHECK_FALSE(book.items_done(one, second, 1));
  CHECK_FALSE(book.items_done(other, first, 1));
  CHECK_FALSE(book.items_done(one, first, 2));
  REQUIRE(book.items_done(one, first, 1));
  CHECK_FALSE(book.items_done(one, first, 1));
  book.close(first);
  CHECK(book.find(first) == nullptr);
  CHECK(book.is_current(one, second));
  CHECK(book.held_by(one).expected == 1us);
}

TEST_CASE("given a worker that ended, when it may have begun items, then these are lost") {
  ledger book;
  const chunk_id first = give(book, 0, 4);
  const chunk_id second = give(book, 4, 2);
  REQUIRE(book.items_done(one, first, 1));
  SECTION("one") {
    const auto found = book.lose(one, 1, false);
    CHECK(found.lost == (std::vector<item_range>({items(1, 1)})));
    CHECK(found.back == (std::deque<chunk_id>{first, second}));
    CHECK(book.at(first).next_item() == 2);
    CHECK(book.at(first).holder == 0);
  }
  SECTION("more than there are") {
    const auto found = book.lose(one, 9, false);
    CHECK(found.lost == (std::vector<item_range>({items(1, 3)})));
    CHECK(found.back == (std::deque<chunk_id>{second}));
    CHECK(book.find(first) == nullptr);
  }
  SECTION("none") {
    const auto found = book.lose(one, 0, false);
    CHECK(found.lost.empty());
    CHECK(found.back.size() == 2);
  }
  SECTION("everything") {
    const auto found = book.lose(one, 0, true);
    CHECK(found.lost == (std::vector<item_range>({items(1, 3), items(4, 2)})));
    CHECK(found.back.empty());
  }
  CHECK(book.current(one) == nullptr);
}

TEST_CASE(
    "given a chunk that ends each worker, when that repeats, then its next item is to blame") {
  ledger book;
  const chunk_id id = give(book, 0, 3);
  const auto lose = [&](std::size_t begun) {
    const std::size_t lost = book.lose(one, begun, false).lost.size();
    book.give(id, one);
    return lost;
  };
  std::size_t in_a_row = 0;
  while (lose(0) == 0) REQUIRE(++in_a_row < 100);
  CHECK(in_a_row + 1 == ledger::max_losses);
  SECTION("and the one behind it has nothing against it") {}
  SECTION("not if one of them had begun an item") {
    for (std::size_t loss = 1; loss < ledger::max_losses; ++loss) CHECK(lose(0) == 0);
    CHECK(lose(1) == 1);
  }
  SECTION("not if one of them had finished an item") {
    for (std::size_t loss = 1; loss < ledger::max_losses; ++loss) CHECK(lose(0) == 0);
    REQUIRE(book.items_done(one, id, 1));
    CHECK(lose(0) == 0);
  }
  CHECK(lose(0) == 0);
}

TEST_CASE("given chunks that are sent, when one is sent again, then its number is a new one") {
  ledger book;
  const chunk_id first = give(book, 0, 4);
  const chunk_id second = give(book, 4, 4);
  CHECK(book.at(first).number == 0);
  book.sent(first);
  book.sent(second);
  CHECK(book.at(first).number == 1);
  CHECK(book.at(second).number == 2);
  const auto back = book.revoke(one, first, 2);
  REQUIRE(back == (std::deque<chunk_id>{back.front(), second}));
  CHECK(book.at(first).number == 1);
  SECTION("behind those before, to the same worker") {
    for (const chunk_id each : back) {
      book.give(each, one);
      CHECK(book.at(each).number == 0);
      book.sent(each);
    }
    CHECK(book.at(back.front()).number == 3);
    CHECK(book.at(second).number == 4);
  }
  SECTION("from the first on, to another worker") {
    book.give(second, other);
    book.sent(second);
    CHECK(book.at(second).number == 1);
  }
}

TEST_CASE("given one item after the other, when each is told of, then a worker has no secrets") {
  ledger book;
  CHECK_FALSE(book.may_be_silent(book.held_by(one)));
  const chunk_id first = give(book, 0, 1);
  give(book, 1, 1);
  CHECK_FALSE(book.may_be_silent(book.held_by(one)));
  SECTION("but of three chunks the first two may have ended") {
    give(book, 2, 1);
    CHECK(book.may_be_silent(book.held_by(one)));
    book.close(first);
    CHECK_FALSE(book.may_be_silent(book.held_by(one)));
  }
  SECTION("nor for another worker") {
    give(book, 2, 2);
    CHECK_FALSE(book.may_be_silent(book.held_by(other)));
  }
}

TEST_CASE("given a chunk of several items, when some of them are known, then others may be open") {
  ledger book;
  const chunk_id id = give(book, 0, 4);
  CHECK(book.may_be_silent(book.held_by(one)));
  SECTION("also if the rest was revoked") {
    static_cast<void>(book.revoke(one, id, 3));
    CHECK(book.may_be_silent(book.held_by(one)));
  }
  SECTION("but not of a single item that is left of it") {
    static_cast<void>(book.revoke(one, id, 1));
    CHECK_FALSE(book.may_be_silent(book.held_by(one)));
  }
  SECTION("but not of a single item that comes again") {
    REQUIRE(book.items_done(one, id, 3));
    static_cast<void>(book.lose(one, 0, false));
    book.give(id, other);
    CHECK_FALSE(book.may_be_silent(book.held_by(other)));
  }
}
