// SPDX-License-Identifier: BSL-1.0

// The word in which a worker claims items and its parent revokes them: what it tells, and that one
// side is first. What the parent makes of it is tested with the `revocation`.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "channel/claims.hpp"

namespace {

using namespace coterie::detail;

struct alignas(64) claimed_word {
  std::array<std::byte, claims::memory_size> bytes{};

  claims view() { return claims{bytes}; }
  void write(std::uint64_t word) { std::memcpy(bytes.data(), &word, sizeof word); }
};

struct both {
  claimed_word memory;
  claimer worker{memory.view()};
  revoker parent{memory.view()};

  std::uint64_t sent = 0;

  explicit both(std::uint64_t chunks = 0) {
    while (sent < chunks) send();
  }
  void send() {
    parent.sent();
    ++sent;
  }
  bool revoke() {
    const auto seen = parent.claimed();
    return seen && parent.revoke(*seen);
  }
};

}  // namespace

TEST_CASE("given a chunk, when the worker claims items of it, then the parent knows how many") {
  both it{2};
  CHECK(it.parent.claimed() == claimed_items{});
  REQUIRE(it.worker.begin(3));
  CHECK(it.parent.claimed() == claimed_items{1, 3});
  REQUIRE(it.worker.claim_up_to(4));
  CHECK(it.parent.claimed() == claimed_items{1, 4});
  REQUIRE(it.worker.begin(0));
  CHECK(it.parent.claimed() == claimed_items{2, 0});
}

TEST_CASE("given items claimed, when the rest is revoked, then it cannot be claimed any more") {
  both it{1};
  REQUIRE(it.worker.begin(0));
  REQUIRE(it.worker.claim_up_to(4));
  REQUIRE(it.revoke());
  CHECK(it.worker.claim_up_to(4));
  CHECK_FALSE(it.worker.claim_up_to(5));
  CHECK(it.parent.claimed() == claimed_items{1, 4});
}

TEST_CASE("given a worker that goes on, when the rest is revoked by an old claim, then none is") {
  both it{2};
  REQUIRE(it.worker.begin(0));
  const auto seen = it.parent.claimed();
  REQUIRE(seen);
  SECTION("and it claims more") { REQUIRE(it.worker.claim_up_to(1)); }
  SECTION("and it begins the next chunk") { REQUIRE(it.worker.begin(0)); }
  CHECK_FALSE(it.parent.revoke(*seen));
  CHECK(it.worker.claim_up_to(2));
  CHECK(it.parent.claimed());
}

TEST_CASE("given more items than can be told, when so many are claimed, then all are") {
  constexpr std::size_t most = claims::state::most_items;
  both it{1};
  REQUIRE(it.worker.begin(0));
  REQUIRE(it.worker.claim_up_to(most - 1));
  CHECK(it.parent.claimed() == claimed_items{1, most - 1});
  REQUIRE(it.worker.claim_up_to(most + GENERATE(0U, 2U)));
  CHECK(it.parent.claimed() == claimed_items{1, claimed_items::all});
  REQUIRE(it.revoke());
  CHECK(it.worker.claim_up_to(most + 5));
  it.send();
  CHECK(it.revoke());
  CHECK(it.parent.claimed() == claimed_items{1, claimed_items::all});
}

TEST_CASE("given units of several items, when one is begun, then the worker keeps it as a whole") {
  both it{2};
  REQUIRE(it.worker.begin(0));
  REQUIRE(it.worker.claim_up_to(5, 4));
  REQUIRE(it.revoke());
  CHECK(it.worker.claim_up_to(6, 4));
  CHECK(it.parent.claimed() == claimed_items{1, 6});
  CHECK_FALSE(it.worker.claim_up_to(9, 4));
  // Asked once more for what came later, the parent finds the same.
  it.send();
  REQUIRE(it.revoke());
  CHECK(it.worker.claim_up_to(8, 4));
  CHECK_FALSE(it.worker.begin(0));
  CHECK_FALSE(it.worker.claim_up_to(1, 4));
  CHECK(it.parent.claimed() == claimed_items{1, 8});
}

TEST_CASE("given a unit that no item was claimed of, when it is revoked, then it is") {
  both it{1};
  REQUIRE(it.worker.begin(4));
  REQUIRE(it.revoke());
  CHECK_FALSE(it.worker.claim_up_to(5, 4));
}

TEST_CASE("given several chunks, when they are revoked, then the worker skips what is behind") {
  both it{3};
  REQUIRE(it.worker.begin(0));
  REQUIRE(it.worker.claim_up_to(10));
  REQUIRE(it.revoke());
  it.send();
  CHECK_FALSE(it.worker.begin(2));
  CHECK_FALSE(it.worker.begin(0));
  CHECK(it.worker.begin(2));
  CHECK(it.worker.claim_up_to(5));
  CHECK(it.parent.claimed() == claimed_items{4, 5});
}

TEST_CASE("given a worker that has begun nothing, when all is revoked, then it begins nothing") {
  both it{2};
  REQUIRE(it.revoke());
  CHECK_FALSE(it.worker.begin(0));
  CHECK_FALSE(it.worker.begin(0));
  CHECK(it.parent.claimed() == claimed_items{});
}

TEST_CASE("given a worker that has not noticed, when more was sent, then that is revoked too") {
  both it{1};
  REQUIRE(it.worker.begin(0));
  REQUIRE(it.worker.claim_up_to(1));
  REQUIRE(it.revoke());
  it.send();
  REQUIRE(it.revoke());
  it.send();
  CHECK_FALSE(it.worker.claim_up_to(2));
  CHECK_FALSE(it.worker.begin(1));
  CHECK(it.worker.begin(0));
}

TEST_CASE("given more chunks than there are numbers, when one is revoked, then it is the right") {
  // Also if nothing is ever revoked before.
  const std::uint64_t every = GENERATE(1'000U, 70'000U, 300'000U);
  both it;
  for (std::uint64_t chunk = 1; chunk <= 200'000; ++chunk) {
    it.send();
    REQUIRE(it.worker.begin(0));
    REQUIRE(it.worker.claim_up_to(1));
    REQUIRE(it.parent.claimed() == claimed_items{chunk, 1});
    if (chunk % every == 0) {
      REQUIRE(it.revoke());
      REQUIRE_FALSE(it.worker.claim_up_to(2));
      REQUIRE(it.parent.claimed() == claimed_items{chunk, 1});
    } else {
      REQUIRE(it.worker.claim_up_to(2));
    }
  }
  it.send();
  it.send();
  REQUIRE(it.worker.begin(0));
  REQUIRE(it.revoke());
  CHECK_FALSE(it.worker.begin(0));
}

TEST_CASE("given any word at all, when it is believed, then it is of chunks that were sent") {
  std::mt19937_64 lot{7};  // NOLINT: the same words every time
  int believed = 0;
  for (int round = 0; round < 20'000; ++round) {
    const auto sent = lot() % 4;
    both it{sent};
    if (round % 8 == 0) REQUIRE(it.revoke());
    // Mostly a word that could be.
    std::uint64_t word = lot();
    if (round % 4 != 0) word &= 0x0003'0003'0000'0007U;
    it.memory.write(word);
    const auto seen = it.parent.claimed();
    if (!seen) continue;
    ++believed;
    CHECK(seen->chunk <= sent);
    // It is known to the last bit.
    CHECK(it.parent.revoke(*seen));
  }
  CHECK(believed > 1000);
}

TEST_CASE("given a word of a chunk that is long ago, when it is read, then it is not believed") {
  both it{3};
  it.memory.write(std::uint64_t{0xffef'fff0} << 32U);
  CHECK_FALSE(it.parent.claimed());
}

TEST_CASE("given a word of a chunk that was not sent, when it is read, then it is not believed") {
  both it;
  for (const std::uint32_t sent : {1U, 40'000U, 70'000U}) {
    while (it.sent < sent) it.send();
    // As a worker writes it that begins the next.
    it.memory.write(std::uint64_t{(sent & 0xffffU) << 16U | ((sent + 1) & 0xffffU)} << 32U);
    CHECK_FALSE(it.parent.claimed());
  }
}

TEST_CASE(
    "given a word that was written over, when the worker would wait for ever, then it is noticed") {
  std::mt19937_64 lot{8};  // NOLINT: the same words every time
  int stuck = 0;
  for (int round = 0; round < 20'000; ++round) {
    both it{1};
    REQUIRE(it.worker.begin(0));
    if (round % 2 == 0) REQUIRE(it.revoke());
    REQUIRE(it.parent.claimed());
    it.send();
    std::uint64_t word = lot();
    if (round % 4 != 0) word &= 0x0003'0003'0000'0007U;
    it.memory.write(word);
    const bool noticed = !it.parent.claimed();
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
  std::size_t revoked = 0;  // chunks before this one are over, or were seen to by a revocation
  std::size_t back = 0;
  while (!left.empty()) {
    for (int burst = 0; burst < 3 && !left.empty(); ++burst) {
      named.push_back(left.front());
      left.pop_front();
      parent.sent();
      sent[named.size() - 1] = named.back();
      written = named.size();
    }
    if (named.size() % 2 == 0) std::this_thread::yield();
    const auto seen = parent.claimed();
    if (!seen) break;
    if (back < most_back && parent.revoke(*seen)) {
      ++back;
      for (std::size_t each = std::max<std::size_t>(seen->chunk, 1); each <= named.size(); ++each) {
        message rest = named[each - 1];
        if (each == seen->chunk) {
          rest.first = seen->items;
          named[each - 1].count = rest.first;
        } else if (each <= revoked) {
          continue;
        }
        if (rest.first < rest.count) left.push_back(rest);
      }
      revoked = named.size();
    }
    // Numbers must not run too far ahead of the worker.
    while (named.size() - noticed > 1000) std::this_thread::yield();
  }
  over = true;
  worker.join();
  CHECK(parent.claimed());
  CHECK(back > 0);
  CHECK(std::ranges::all_of(run, [](std::uint8_t times) { return times == 1; }));
}
