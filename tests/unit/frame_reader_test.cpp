// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include <catch2/catch.hpp>

#include "frames.hpp"
#include "messages/frame_reader.hpp"

namespace {

using namespace coterie::detail;
using frames::bytes;

/// Frames with payloads of these sizes, numbered by their job.
bytes stream_of(const std::vector<std::size_t>& sizes) {
  bytes all;
  for (std::size_t index = 0; index < sizes.size(); ++index) {
    frames::append(all, frames::header(message_kind::run, index + 1),
                   frames::pattern(sizes[index], static_cast<unsigned>(index)));
  }
  return all;
}

/// Takes all frames that are there, and checks that they are the next of that stream.
void take(frame_reader& reader, const std::vector<std::size_t>& sizes, std::size_t& taken) {
  while (const auto next = reader.next()) {
    REQUIRE(taken < sizes.size());
    REQUIRE(frames::job_of(next->header) == taken + 1);
    REQUIRE(
        frames::same(next->payload, frames::pattern(sizes[taken], static_cast<unsigned>(taken))));
    REQUIRE(reinterpret_cast<std::uintptr_t>(next->payload.data()) % frame_alignment == 0);
    ++taken;
  }
}

const std::vector<std::size_t> small_sizes{0, 5, 16, 33};

}  // namespace

TEST_CASE(
    "given a stream of frames, when it is split anywhere into three, then the frames are the same") {
  const bytes all = stream_of(small_sizes);
  const std::span<const std::byte> view{all};
  for (std::size_t first = 0; first <= all.size(); ++first) {
    for (std::size_t second = first; second <= all.size(); second += 3) {
      frame_reader reader;
      std::size_t taken = 0;
      for (const auto part :
           {view.first(first), view.subspan(first, second - first), view.subspan(second)}) {
        frames::feed(reader, part);
        take(reader, small_sizes, taken);
      }
      REQUIRE(taken == small_sizes.size());
      REQUIRE_FALSE(reader.in_the_middle());
    }
  }
}

TEST_CASE("given a stream of frames, when it comes byte by byte, then the frames are the same") {
  const std::vector<std::size_t> sizes{0, 1, 15, 16, 17, 1000, 0};
  const bytes all = stream_of(sizes);
  frame_reader reader;
  std::size_t taken = 0;
  for (const std::byte each : all) {
    frames::feed(reader, {&each, 1});
    take(reader, sizes, taken);
  }
  CHECK(taken == sizes.size());
}

TEST_CASE("given a stream of frames, when it is cut off anywhere, then only whole frames come") {
  const bytes all = stream_of(small_sizes);
  for (std::size_t length = 0; length < all.size(); ++length) {
    frame_reader reader;
    frames::feed(reader, std::span{all}.first(length));
    std::size_t taken = 0;
    take(reader, small_sizes, taken);
    std::size_t whole = 0;
    std::size_t end = 0;
    for (const std::size_t size : small_sizes) {
      end += sizeof(frame_header) + padded(size);
      if (end > length) {
        end -= sizeof(frame_header) + padded(size);
        break;
      }
      ++whole;
    }
    REQUIRE(taken == whole);
    REQUIRE(reader.in_the_middle() == (end != length));
  }
}

TEST_CASE("given a header that lies, when it is looked at, then nothing is believed") {
  const auto right = frames::header(message_kind::values);
  frame_header lie = right;
  SECTION("magic") { lie.magic ^= 1U; }
  SECTION("no kind") { lie.kind = message_kind{0}; }
  SECTION("kind after the last") {
    lie.kind = static_cast<message_kind>(static_cast<std::uint8_t>(message_kind::result_taken) + 1);
  }
  SECTION("largest kind") { lie.kind = message_kind{0xffU}; }
  SECTION("length") { lie.length = longest_payload + 1; }
  SECTION("length that wraps around") { lie.length = ~std::uint64_t{0}; }
  bytes all;
  frames::append(all, right, frames::pattern(20));
  const std::size_t at = all.size();
  all.resize(at + sizeof lie);
  std::memcpy(all.data() + at, &lie, sizeof lie);

  frame_reader reader;
  frames::feed(reader, all);
  std::size_t position = 0;
  CHECK(reader.peek(position).has_value());
  CHECK_THROWS_AS(reader.peek(position), bad_frame);
  CHECK(frames::same(reader.next()->payload, frames::pattern(20)));
  CHECK_THROWS_AS(reader.next(), bad_frame);
  CHECK_THROWS_AS(reader.next(), bad_frame);  // and it does not get better
}

TEST_CASE(
    "given large frames among small ones, when they are read, then memory grows and is given back") {
  const std::vector<std::size_t> sizes{10, 5'000'000, 0, 300'000, 70'000, 3};
  const bytes all = stream_of(sizes);
  for (const std::size_t step : {std::size_t{4096}, std::size_t{65536}, std::size_t{1'000'003}}) {
    frame_reader reader;
    std::size_t taken = 0;
    const std::size_t usual = reader.space().size();
    for (std::size_t at = 0; at < all.size(); at += step) {
      frames::feed(reader, std::span{all}.subspan(at, std::min(step, all.size() - at)));
      take(reader, sizes, taken);
    }
    CHECK(taken == sizes.size());
    CHECK(reader.space().size() == usual);
  }
}

TEST_CASE(
    "given a large frame that has begun, when space is asked for, then the rest fits into it") {
  const bytes all = stream_of({3'000'000});
  frame_reader reader;
  frames::feed(reader, std::span{all}.first(100));
  CHECK_FALSE(reader.next().has_value());
  CHECK(reader.space().size() >= all.size() - 100);
}

TEST_CASE(
    "given a frame that claims to be enormous, when it comes, then memory follows its bytes") {
  frame_header claim = frames::header(message_kind::values);
  claim.length = longest_payload;
  bytes all(sizeof claim);
  std::memcpy(all.data(), &claim, sizeof claim);
  frame_reader reader;
  frames::feed(reader, all);
  const bytes part = frames::pattern(10'000'000);
  for (int parts = 1; parts <= 4; ++parts) {
    CHECK_FALSE(reader.next().has_value());
    CHECK(reader.space().size() < 50'000'000);
    frames::feed(reader, part);
  }
}

TEST_CASE("given whole frames and a part, when they are peeked at, then they are all still there") {
  const bytes all = stream_of(small_sizes);
  frame_reader reader;
  frames::feed(reader, std::span{all}.first(all.size() - 1));
  std::size_t position = 0;
  for (std::size_t index = 0; index + 1 < small_sizes.size(); ++index) {
    const auto seen = reader.peek(position);
    REQUIRE(seen.has_value());
    CHECK(frames::job_of(seen->header) == index + 1);
    CHECK(seen->payload.size() == small_sizes[index]);
  }
  CHECK_FALSE(reader.peek(position).has_value());
  std::size_t taken = 0;
  take(reader, small_sizes, taken);
  CHECK(taken == small_sizes.size() - 1);
  frames::feed(reader, std::span{all}.last(1));
  take(reader, small_sizes, taken);
  CHECK(taken == small_sizes.size());
}

TEST_CASE(
    "given a stream cut anywhere, when it is handed over, then it goes on in the other reader") {
  const bytes all = stream_of(small_sizes);
  for (std::size_t cut = sizeof(frame_header); cut <= all.size(); ++cut) {
    frame_reader first;
    frames::feed(first, std::span{all}.first(cut));
    const auto in_use = first.next();
    REQUIRE(in_use.has_value());
    frame_reader second;
    first.hand_over_to(second);
    REQUIRE_FALSE(first.in_the_middle());
    frames::feed(second, std::span{all}.subspan(cut));
    REQUIRE(frames::job_of(in_use->header) == 1);
    std::size_t taken = 1;
    take(second, small_sizes, taken);
    REQUIRE(taken == small_sizes.size());
  }
}

TEST_CASE("given a frame in use, when what follows is handed over, then its payload stays valid") {
  const std::vector<std::size_t> sizes{1000, 400'000, 7};
  const bytes all = stream_of(sizes);
  frame_reader first;
  frames::feed(first, all);
  const auto in_use = first.next();
  frame_reader second;
  first.hand_over_to(second);
  frames::feed(second, all);  // and the reader that took it over reads on
  CHECK(frames::same(in_use->payload, frames::pattern(1000, 0)));
  std::size_t taken = 1;
  while (taken < sizes.size()) {
    const auto next = second.next();
    REQUIRE(next.has_value());
    CHECK(frames::job_of(next->header) == ++taken);
  }
  CHECK(frames::job_of(second.next()->header) == 1);
}
