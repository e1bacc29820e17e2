// SPDX-License-Identifier: BSL-1.0

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "channel/claims.hpp"

namespace {

using namespace coterie::detail;

struct alignas(64) claimed_word {
  std::array<std::byte, claims::memory_size> bytes{};

  claims view() { return claims{bytes}; }
};

struct both {
  claimed_word memory;
  claimer worker{memory.view()};
  revoker parent{memory.view()};
};

using chunks = std::vector<chunk_id>;

}  // namespace

TEST_CASE("given a chunk under way, when the worker has claimed some, then the others come back") {
  both it;
  it.parent.sent(7, 0, 10);
  REQUIRE(it.worker.begin(0));
  REQUIRE(it.worker.claim_up_to(4));

  const auto left = it.parent.revoke(6);
  REQUIRE(left);
  CHECK(left->begun == 7);
  CHECK(left->kept == 4);
  CHECK(left->revoked.empty());
  CHECK_FALSE(it.worker.claim_up_to(5));
}

TEST_CASE("given more items than can be told, when so many are claimed, then all are") {
  constexpr std::size_t most = claims::state::most_items;
  both it;
  it.parent.sent(7, 0, most + 5);
  REQUIRE(it.worker.begin(0));
  REQUIRE(it.worker.claim_up_to(most + 2));
  it.parent.sent(8, 0, 1);

  const auto left = it.parent.revoke(1);
  REQUIRE(left);
  CHECK(left->begun == 7);
  CHECK(left->kept == most + 5);
  CHECK(left->revoked == chunks{8});
  CHECK(it.worker.claim_up_to(most + 5));
  it.parent.sent(9, 0, 1);
  const auto more = it.parent.revoke(1);
  REQUIRE(more);
  CHECK(more->revoked == chunks{9});
}

TEST_CASE("given one item after the other, when each is told of, then a worker has no secrets") {
  both it;
  CHECK_FALSE(it.parent.may_be_silent());
  it.parent.sent(7, 3, 4);
  it.parent.sent(8, 0, 1);
  CHECK_FALSE(it.parent.may_be_silent());
  SECTION("but of three chunks the first two may have ended") {
    it.parent.sent(9, 0, 1);
    CHECK(it.parent.may_be_silent());
    it.parent.ended(7);
    CHECK_FALSE(it.parent.may_be_silent());
  }
  SECTION("or of a chunk some items") {
    it.parent.sent(9, 0, 2);
    it.parent.ended(7);
    it.parent.ended(8);
    CHECK(it.parent.may_be_silent());
  }
}

TEST_CASE("given several items claimed, when the rest is revoked, then their results may be open") {
  both it;
  it.parent.sent(7, 0, 4);
  REQUIRE(it.worker.begin(0));
  SECTION("but not that of one item") {
    REQUIRE(it.worker.claim_up_to(1));
    REQUIRE(it.parent.revoke(1));
    CHECK_FALSE(it.parent.may_be_silent());
  }
  SECTION("as those of three are") {
    REQUIRE(it.worker.claim_up_to(3));
    REQUIRE(it.parent.revoke(1));
    CHECK(it.parent.may_be_silent());
  }
}

TEST_CASE("given units of several items, when one is begun, then the worker keeps it as a whole") {
  both it;
  it.parent.sent(7, 0, 10);
  it.parent.sent(8, 0, 10);
  REQUIRE(it.worker.begin(0));
  REQUIRE(it.worker.claim_up_to(5, 4));
  const auto left = it.parent.revoke(1, 4);
  REQUIRE(left);
  CHECK(left->kept == 8);
  CHECK(left->revoked == chunks{8});
  CHECK(it.worker.claim_up_to(6, 4));
  CHECK(it.parent.begun(7, 5) == 1);
  CHECK(it.parent.begun(7, 6) == 0);
  CHECK_FALSE(it.worker.claim_up_to(9, 4));
  CHECK(it.parent.makes_sense());
  // Asked once more for what came later, the parent finds the same.
  it.parent.sent(9, 0, 10);
  const auto again = it.parent.revoke(1, 4);
  REQUIRE(again);
  CHECK(again->kept == 8);
  CHECK(again->revoked == chunks{9});
  CHECK(it.worker.claim_up_to(8, 4));
  CHECK_FALSE(it.worker.begin(0));
  CHECK_FALSE(it.worker.claim_up_to(1, 4));
}

TEST_CASE("given units of several items, when none is begun, then nothing is kept but the next") {
  both it;
  it.parent.sent(7, 4, 12);
  SECTION("of a chunk that is begun at the beginning of a unit") {
    REQUIRE(it.worker.begin(4));
    const auto left = it.parent.revoke(1, 4);
    REQUIRE(left);
    CHECK(left->kept == 4);
    CHECK_FALSE(it.worker.claim_up_to(5, 4));
  }
  SECTION("of a worker that is about to begin") {
    CHECK_FALSE(it.parent.revoke(5, 4));
    const auto left = it.parent.revoke(4, 4);
    REQUIRE(left);
    CHECK(left->revoked == chunks{7});
  }
  SECTION("or not even that") { CHECK(it.parent.revoke(8, 4, spare_next::no)); }
}

TEST_CASE("given a worker that has ended, when one item may run at a time, then one has begun") {
  both it;
  it.parent.sent(7, 0, 10);
  it.parent.sent(8, 2, 5);
  CHECK(it.parent.begun(7, 0) == 0);
  REQUIRE(it.worker.begin(0));
  CHECK(it.parent.begun(7, 0) == 0);
  REQUIRE(it.worker.claim_up_to(4));
  SECTION("the one behind those that are done") {
    for (std::size_t done = 0; done < 4; ++done) CHECK(it.parent.begun(7, done) == 1);
  }
  SECTION("but none, if all that were claimed are done") { CHECK(it.parent.begun(7, 4) == 0); }
  SECTION("and none of the chunk behind") { CHECK(it.parent.begun(8, 2) == 0); }
  SECTION("nor of a chunk that was begun and not claimed") {
    it.parent.ended(7);
    REQUIRE(it.worker.begin(2));
    CHECK(it.parent.begun(8, 2) == 0);
    REQUIRE(it.worker.claim_up_to(3));
    CHECK(it.parent.begun(8, 2) == 1);
  }
}

TEST_CASE("given a worker that has ended, when it says what cannot be, then it is not believed") {
  both it;
  it.parent.sent(7, 0, 10);
  it.parent.sent(8, 0, 10);
  REQUIRE(it.worker.begin(0));
  REQUIRE(it.worker.claim_up_to(10));
  SECTION("it is at a chunk, and has not told the end of the one before") {
    REQUIRE(it.worker.begin(0));
    REQUIRE(it.worker.claim_up_to(1));
    CHECK(it.parent.begun(7, 0) == std::nullopt);
  }
  SECTION("it is at a chunk that was not sent") {
    it.memory.bytes.fill(std::byte{0x55});
    CHECK(it.parent.begun(7, 0) == std::nullopt);
  }
  SECTION("of a chunk that it does not hold") { CHECK(it.parent.begun(9, 0) == std::nullopt); }
}

TEST_CASE("given several chunks, when they are revoked, then the worker skips what is behind") {
  both it;
  it.parent.sent(7, 0, 10);
  it.parent.sent(8, 2, 5);
  it.parent.sent(9, 0, 1);
  REQUIRE(it.worker.begin(0));
  REQUIRE(it.worker.claim_up_to(10));

  const auto left = it.parent.revoke(4);
  REQUIRE(left);
  CHECK(left->begun == 7);
  CHECK(left->kept == 10);
  CHECK(left->revoked == chunks{8, 9});
  it.parent.sent(8, 2, 5);
  CHECK_FALSE(it.worker.begin(2));
  CHECK_FALSE(it.worker.begin(0));
  CHECK(it.worker.begin(2));
  CHECK(it.worker.claim_up_to(5));
}

TEST_CASE("given a worker that has begun nothing, when chunks come back, then all of them do") {
  both it;
  it.parent.sent(7, 0, 2);
  it.parent.sent(8, 0, 1);
  // The item that it is about to begin does not count.
  CHECK_FALSE(it.parent.revoke(3));
  const auto left = it.parent.revoke(2);
  REQUIRE(left);
  CHECK(left->begun == 0);
  CHECK(left->revoked == chunks{7, 8});
  CHECK_FALSE(it.worker.begin(0));
  CHECK_FALSE(it.worker.begin(0));
}

TEST_CASE(
    "given items that are begun together, when nobody has begun them, then they stay together") {
  both it;
  it.parent.sent(7, 0, 3);
  CHECK_FALSE(it.parent.revoke(1, 3));
  it.parent.sent(8, 0, 3);
  CHECK(it.parent.revoke(1, 3));
}

TEST_CASE(
    "given two chunks shorter than what is begun together, when none has begun, then the second comes "
    "back") {
  both it;
  it.parent.sent(7, 0, 1);
  it.parent.sent(8, 0, 1);
  const auto left = it.parent.revoke(1, 2);
  REQUIRE(left);
  CHECK(left->revoked == chunks{7, 8});
}

TEST_CASE("given one item, when nobody has begun it yet, then it stays where it is") {
  both it;
  it.parent.sent(7, 0, 1);
  CHECK_FALSE(it.parent.revoke(1));
  CHECK(it.worker.begin(0));
}

TEST_CASE("given a chunk that has ended, when others are behind it, then they come back") {
  both it;
  it.parent.sent(7, 0, 1);
  it.parent.sent(8, 0, 3);
  REQUIRE(it.worker.begin(0));
  REQUIRE(it.worker.claim_up_to(1));
  it.parent.ended(7);
  const auto left = it.parent.revoke(2);
  REQUIRE(left);
  CHECK(left->begun == 0);
  CHECK(left->revoked == chunks{8});
}

TEST_CASE("given a worker that has not noticed, when more was sent, then that comes back too") {
  both it;
  it.parent.sent(7, 0, 9);
  REQUIRE(it.worker.begin(0));
  REQUIRE(it.worker.claim_up_to(1));
  REQUIRE(it.parent.revoke(1));
  CHECK_FALSE(it.parent.revoke(1));
  it.parent.sent(8, 1, 4);
  const auto left = it.parent.revoke(3);
  REQUIRE(left);
  CHECK(left->begun == 7);
  CHECK(left->kept == 1);
  CHECK(left->revoked == chunks{8});
  it.parent.sent(9, 0, 1);
  CHECK_FALSE(it.worker.claim_up_to(2));
  CHECK_FALSE(it.worker.begin(1));
  CHECK(it.worker.begin(0));
}

TEST_CASE("given less than is wanted, when it is asked for, then the worker goes on undisturbed") {
  both it;
  it.parent.sent(7, 3, 10);
  REQUIRE(it.worker.begin(3));
  REQUIRE(it.worker.claim_up_to(5));
  CHECK_FALSE(it.parent.revoke(6));
  CHECK(it.worker.claim_up_to(10));
  CHECK_FALSE(it.parent.revoke(1));
}

TEST_CASE("given more chunks than there are numbers, when one is revoked, then it is the right") {
  both it;
  for (chunk_id chunk = 1; chunk <= 200'000; ++chunk) {
    it.parent.sent(chunk, 0, 2);
    REQUIRE(it.worker.begin(0));
    REQUIRE(it.worker.claim_up_to(1));
    if (chunk % 1000 == 0) {
      const auto left = it.parent.revoke(1);
      REQUIRE(left);
      REQUIRE(left->begun == chunk);
      REQUIRE_FALSE(it.worker.claim_up_to(2));
    } else {
      REQUIRE(it.worker.claim_up_to(2));
    }
    REQUIRE(it.parent.makes_sense());
    it.parent.ended(chunk);
    REQUIRE(it.parent.makes_sense());
  }
}

TEST_CASE(
    "given more chunks than half of the numbers, when none is ever revoked, then all is well") {
  both it;
  for (chunk_id chunk = 1; chunk <= 70'000; ++chunk) {
    it.parent.sent(chunk, 0, 1);
    REQUIRE(it.worker.begin(0));
    REQUIRE(it.worker.claim_up_to(1));
    REQUIRE(it.parent.makes_sense());
    it.parent.ended(chunk);
    REQUIRE(it.parent.makes_sense());
  }
  it.parent.sent(70'001, 0, 1);
  it.parent.sent(70'002, 0, 1);
  REQUIRE(it.worker.begin(0));
  const auto left = it.parent.revoke(1);
  REQUIRE(left);
  CHECK(left->revoked == chunks{70'002});
}

TEST_CASE("given more items than can be told, when the others are asked for, then none come back") {
  both it;
  const std::size_t huge = std::size_t{claims::state::most_items} + 10;
  it.parent.sent(7, 0, huge);
  REQUIRE(it.worker.begin(0));
  REQUIRE(it.worker.claim_up_to(huge - 5));
  CHECK_FALSE(it.parent.revoke(1));
}

TEST_CASE("given any word at all, when items are revoked, then they are of those that were sent") {
  std::mt19937_64 lot{7};  // NOLINT: the same words every time
  for (int round = 0; round < 20'000; ++round) {
    both it;
    const auto sent = static_cast<chunk_id>(lot() % 4);
    for (chunk_id chunk = 1; chunk <= sent; ++chunk) it.parent.sent(chunk, 1, 3);
    // Mostly a word that could be.
    std::uint64_t word = lot();
    if (round % 4 != 0) word &= 0x0003'0003'0000'0007U;
    std::memcpy(it.memory.bytes.data(), &word, sizeof word);
    const auto left = it.parent.revoke(lot() % 3);
    if (!left) continue;
    CHECK(left->begun <= sent);
    if (left->begun != 0) CHECK((left->kept >= 1 && left->kept <= 3));
    for (const chunk_id chunk : left->revoked) CHECK((chunk > left->begun && chunk <= sent));
  }
}

TEST_CASE(
    "given a word that was written over, when the worker would wait for ever, then it is noticed") {
  std::mt19937_64 lot{8};  // NOLINT: the same words every time
  int stuck = 0;
  for (int round = 0; round < 20'000; ++round) {
    both it;
    it.parent.sent(1, 0, 2);
    REQUIRE(it.worker.begin(0));
    if (round % 2 == 0) REQUIRE(it.parent.revoke(1));
    REQUIRE(it.parent.makes_sense());
    it.parent.sent(2, 0, 2);
    std::uint64_t word = lot();
    if (round % 4 != 0) word &= 0x0003'0003'0000'0007U;
    std::memcpy(it.memory.bytes.data(), &word, sizeof word);
    const bool noticed = !it.parent.makes_sense();
    if (it.worker.begin(0)) continue;
    CHECK(noticed);
    ++stuck;
  }
  CHECK(stuck > 1000);
}

TEST_CASE("given both sides at once, when items are claimed and revoked, then each is one side's") {
  constexpr std::size_t total = 20'000;
  constexpr std::size_t chunk_size = 50;
  constexpr std::size_t most_back = 2'000;
  claimed_word memory;
  std::vector<std::uint8_t> run(total);
  struct message {
    std::size_t offset, first, count;
  };
  // What travels in a ring otherwise.
  std::vector<message> sent(total / chunk_size + 4 * most_back);
  std::atomic<std::size_t> written = 0;
  std::atomic<std::size_t> noticed = 0;
  std::atomic<bool> over = false;

  std::thread worker{[&] {
    claimer mine{memory.view()};
    for (std::size_t at = 0;;) {
      if (at == written.load()) {
        if (over) return;
        std::this_thread::yield();
        continue;
      }
      const message chunk = sent[at++];
      if (mine.begin(chunk.first)) {
        for (std::size_t item = chunk.first; item < chunk.count; ++item) {
          if (!mine.claim_up_to(item + 1)) break;
          ++run[chunk.offset + item];
        }
      }
      noticed = at;
    }
  }};

  revoker parent{memory.view()};
  std::deque<message> left;
  for (std::size_t offset = 0; offset < total; offset += chunk_size) {
    left.push_back({offset, 0, chunk_size});
  }
  std::vector<message> named;
  std::size_t back = 0;
  std::size_t told = 0;
  while (!left.empty()) {
    for (int burst = 0; burst < 3 && !left.empty(); ++burst) {
      named.push_back(left.front());
      left.pop_front();
      parent.sent(named.size(), named.back().first, named.back().count);
      sent[named.size() - 1] = named.back();
      written = named.size();
    }
    if (named.size() % 2 == 0) std::this_thread::yield();
    if (!parent.makes_sense()) break;
    const auto kept = back < most_back ? parent.revoke(1) : std::nullopt;
    if (kept) {
      ++back;
      for (const chunk_id chunk : kept->revoked) left.push_back(named[chunk - 1]);
      if (kept->begun != 0) {
        message rest = named[kept->begun - 1];
        named[kept->begun - 1].count = kept->kept;
        rest.first = kept->kept;
        if (rest.first < rest.count) left.push_back(rest);
      }
    }
    // Numbers must not run too far ahead of the worker.
    while (named.size() - noticed > 1000) std::this_thread::yield();
    while (told < noticed) parent.ended(++told);
  }
  over = true;
  worker.join();
  CHECK(parent.makes_sense());
  CHECK(back > 0);
  CHECK(std::ranges::all_of(run, [](std::uint8_t times) { return times == 1; }));
}
