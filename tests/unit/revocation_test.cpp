// SPDX-License-Identifier: BSL-1.0

// What follows from what a worker claims: for every small list of chunks that it may hold, and for
// everything that it may say. A second opinion looks at one item after the other.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <catch2/catch.hpp>

#include <coterie/detail/byte_buffer.hpp>

#include "schedule/ledger.hpp"
#include "schedule/revocation.hpp"

namespace {

using namespace coterie::detail;

constexpr job_id job = 7;
constexpr worker_id one = 11;
constexpr worker_id other = 12;

/// A chunk as the worker was sent it.
struct piece {
  std::uint64_t number;
  std::size_t begin;
  std::size_t end;
  std::size_t done;
  bool settled = false;  // it was known to have claimed all, when others were revoked
  chunk_id id = 0;
};

/// A ledger in which the worker holds such chunks.
ledger book_of(std::vector<piece>& pieces) {
  ledger book;
  std::uint64_t number = 0;
  const auto give = [&](std::size_t begin, std::size_t end) {
    const chunk_id id = book.open(job, other, 0);
    book.fill(id, end, {}, std::make_shared<byte_buffer>());
    if (begin > 0) REQUIRE(book.items_done(other, id, begin));
    static_cast<void>(book.revoke(other, 0, 0));
    book.give(id, one);
    book.sent(id);
    ++number;
    return id;
  };
  for (piece& each : pieces) {
    // Chunks that are over.
    while (number + 1 < each.number) book.close(give(0, 1));
    each.id = give(each.begin, each.end);
    if (each.done > each.begin) REQUIRE(book.items_done(one, each.id, each.done - each.begin));
    if (each.settled) REQUIRE(book.revoke(one, each.id, each.end).empty());
  }
  return book;
}

/// Calls `look` with each list of up to three chunks of up to three items.
void for_each_list(const std::function<void(std::vector<piece>)>& look) {
  std::vector<piece> list;
  const std::function<void()> extend = [&] {
    look(list);
    if (list.size() == 3) return;
    // What the worker was sent first, or directly before this, may be over.
    const std::uint64_t before = list.empty() ? 0 : list.back().number;
    for (std::uint64_t number = before + 1; number <= before + 2; ++number) {
      for (std::size_t end = 1; end <= 3; ++end) {
        for (std::size_t begin = 0; begin < end; ++begin) {
          for (std::size_t done = begin; done <= (list.empty() ? end : begin); ++done) {
            for (const bool settled : {false, true}) {
              if (settled && !list.empty()) continue;
              list.push_back({number, begin, end, done, settled});
              extend();
              list.pop_back();
            }
          }
        }
      }
    }
  };
  extend();
}

/// Calls `look` with each thing that the worker may say.
void for_each_claim(const std::function<void(claimed_items)>& look) {
  for (std::uint64_t chunk = 0; chunk <= 7; ++chunk) {
    for (std::size_t items = 0; items <= 4; ++items) look({chunk, items});
    look({chunk, claimed_items::all});
  }
}

// ---- the second opinion -----------------------------------------------------------------------

bool is_claimed(const piece& of, std::size_t item, const claimed_items& said) {
  return of.number < said.chunk || (of.number == said.chunk && item < said.items);
}

/// Whether it runs on the worker once the rest is revoked: together with a claimed item of its
/// unit.
bool stays(const piece& of, std::size_t item, std::size_t unit, const claimed_items& said) {
  for (std::size_t i = item / unit * unit; i < (item / unit + 1) * unit; ++i) {
    if (is_claimed(of, i, said)) return true;
  }
  return false;
}

bool has_begun_any(const std::vector<piece>& held, const claimed_items& said) {
  return std::ranges::any_of(held, [&](const piece& each) { return each.number <= said.chunk; });
}

bool can_be(const std::vector<piece>& held, const claimed_items& said) {
  for (const piece& each : held) {
    for (std::size_t item = each.begin; item < each.done; ++item) {
      if (!is_claimed(each, item, said)) return false;
    }
  }
  const auto at = std::ranges::find(held, said.chunk, &piece::number);
  if (at == held.end()) return !has_begun_any(held, said);
  if (said.items == claimed_items::all) return true;
  return said.items >= at->begin && said.items <= at->end;
}

std::size_t free_items(const std::vector<piece>& held, std::size_t unit,
                       const claimed_items& said) {
  std::size_t count = 0;
  for (const piece& each : held) {
    for (std::size_t item = each.done; item < each.end; ++item) {
      if (!stays(each, item, unit, said)) ++count;
    }
  }
  return count;
}

std::optional<kept_items> expected_after(const action::revoke& what, const std::vector<piece>& held,
                                         const claimed_items& said) {
  if (!can_be(held, said)) return std::nullopt;
  std::size_t free = free_items(held, what.unit, said);
  if (what.spares_next && !held.empty() && !has_begun_any(held, said)) {
    const piece& next = held.front();
    for (std::size_t item = next.done; item < next.done + what.unit; ++item) {
      if (item < next.end) --free;
    }
  }
  if (held.empty() || free < what.min) return std::nullopt;
  kept_items kept;
  for (const piece& each : held) {
    if (each.number != said.chunk) continue;
    kept.chunk = each.id;
    while (kept.items < each.end && stays(each, kept.items, what.unit, said)) ++kept.items;
    if (each.settled && kept.items < each.end) return std::nullopt;
  }
  return kept;
}

std::optional<std::size_t> expected_doubt(unheard_items unheard, const std::vector<piece>& held,
                                          const claimed_items& said) {
  if (!can_be(held, said)) return std::nullopt;
  std::size_t count = 0;
  for (const piece& each : held) {
    if (&each != &held.front() && each.number <= said.chunk) return std::nullopt;
    for (std::size_t item = each.done; item < each.end; ++item) {
      if (is_claimed(each, item, said)) ++count;
    }
  }
  return unheard == unheard_items::one && count > 1 ? 1 : count;
}

action::revoke order(std::size_t min, std::size_t unit, bool spares_next) {
  return {
      .victim = one, .min = min, .unit = unit, .spares_next = spares_next, .only_if_cheap = false};
}

/// A ledger in which the worker holds chunks of three items, with the numbers 1, 2, ...
struct small_book {
  explicit small_book(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) pieces.push_back({i + 1, 0, 3, 0});
    book = book_of(pieces);
  }
  [[nodiscard]] chunk_id id(std::size_t number) const { return pieces[number - 1].id; }

  std::vector<piece> pieces;
  ledger book;
};

}  // namespace

TEST_CASE("given any chunks, when any claim is seen, then the items behind it can be revoked") {
  std::size_t cases = 0;
  std::size_t revoked = 0;
  std::size_t wrong = 0;
  for_each_list([&](std::vector<piece> held) {
    const ledger book = book_of(held);
    for_each_claim([&](claimed_items said) {
      for (const std::size_t unit : {1U, 2U}) {
        for (const bool spares_next : {false, true}) {
          for (const std::size_t min : {1U, 2U, 4U}) {
            const auto what = order(min, unit, spares_next);
            const auto kept = kept_after(what, said, book);
            ++cases;
            if (kept != expected_after(what, held, said)) ++wrong;
            if (!kept || min > 1 || spares_next) continue;
            // What comes back is what does not stay.
            ++revoked;
            ledger after = book;
            std::size_t back = 0;
            for (const chunk_id each : after.revoke(one, kept->chunk, kept->items)) {
              back += after.at(each).left();
            }
            if (back != free_items(held, unit, said)) ++wrong;
          }
        }
      }
    });
  });
  CHECK(wrong == 0);
  CHECK(cases > 1'000'000);
  CHECK(revoked > 10'000);
}

TEST_CASE("given any chunks, when their worker has ended, then what may have begun is known") {
  std::size_t cases = 0;
  std::size_t wrong = 0;
  for_each_list([&](std::vector<piece> held) {
    const ledger book = book_of(held);
    for_each_claim([&](claimed_items said) {
      for (const auto unheard : {unheard_items::one, unheard_items::all}) {
        ++cases;
        if (items_in_doubt(one, unheard, said, book) != expected_doubt(unheard, held, said)) {
          ++wrong;
        }
      }
    });
  });
  CHECK(wrong == 0);
  CHECK(cases > 100'000);
}

TEST_CASE("given items claimed, when the rest is revoked, then the units of these stay") {
  const small_book it{2};
  CHECK(kept_after(order(5, 1, true), {1, 1}, it.book) == kept_items{it.id(1), 1});
  CHECK(kept_after(order(6, 1, true), {1, 1}, it.book) == std::nullopt);
  CHECK(kept_after(order(4, 2, true), {1, 1}, it.book) == kept_items{it.id(1), 2});
  CHECK(kept_after(order(1, 1, true), {2, 3}, it.book) == std::nullopt);
}

TEST_CASE("given a worker that has begun nothing, when it is spared, then it begins the first") {
  const small_book it{1};
  CHECK(kept_after(order(3, 1, true), {}, it.book) == std::nullopt);
  CHECK(kept_after(order(2, 1, true), {}, it.book) == kept_items{});
  CHECK(kept_after(order(3, 1, false), {}, it.book) == kept_items{});
  CHECK(kept_after(order(1, 3, true), {}, it.book) == std::nullopt);
}

TEST_CASE("given a worker that takes its claims back, when the rest is revoked, then nothing is") {
  small_book it{2};
  const auto back = it.book.revoke(one, it.id(1), 2);
  REQUIRE(back.size() == 2);
  it.book.give(back.back(), one);
  it.book.sent(back.back());
  CHECK(kept_after(order(1, 1, false), {1, 2}, it.book) == kept_items{it.id(1), 2});
  CHECK(kept_after(order(1, 1, false), {1, 1}, it.book) == std::nullopt);
  // It begins what was revoked.
  CHECK(kept_after(order(1, 1, false), {2, 1}, it.book) == std::nullopt);
  CHECK(items_in_doubt(one, unheard_items::one, {2, 1}, it.book) == std::nullopt);
  CHECK(kept_after(order(1, 1, false), {3, 1}, it.book) == kept_items{back.back(), 1});
}

TEST_CASE(
    "given a chunk that is revoked and given again, when it is claimed, then it counts anew") {
  small_book it{1};
  static_cast<void>(it.book.revoke(one, it.id(1), 3));
  it.book.lose(one, 0, false);
  it.book.give(it.id(1), other);
  auto what = order(1, 1, false);
  what.victim = other;
  SECTION("and not before it is sent") {
    CHECK(kept_after(what, {}, it.book) == std::nullopt);
    CHECK(items_in_doubt(other, unheard_items::one, {}, it.book) == 0);
  }
  it.book.sent(it.id(1));
  CHECK(kept_after(what, {1, 1}, it.book) == kept_items{it.id(1), 1});
}
