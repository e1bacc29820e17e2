// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include <catch2/catch.hpp>

#include "frames.hpp"
#include "messages/send_queue.hpp"

namespace {

using namespace coterie::detail;
using frames::bytes;

std::shared_ptr<byte_buffer> shared(const bytes& from) {
  auto made = std::make_shared<byte_buffer>();
  made->append(from.data(), from.size());
  return made;
}

/// Sends up to `most` bytes.
void send_some(send_queue& queue, std::size_t most, bytes& to) {
  std::size_t sent = 0;
  for (const iovec& piece : queue.pieces()) {
    REQUIRE(piece.iov_len > 0);
    const std::size_t count = std::min(piece.iov_len, most - sent);
    const auto* const from = static_cast<const std::byte*>(piece.iov_base);
    to.insert(to.end(), from, from + count);
    sent += count;
    if (sent == most) break;
  }
  REQUIRE(sent > 0);
  queue.sent(sent);
}

/// Pushes frames of many sizes, each both ways, and appends what is to come out.
void push_all(send_queue& queue, bytes& expected) {
  unsigned seed = 0;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{16}, std::size_t{100}, send_queue::copied_up_to,
        send_queue::copied_up_to + 1, std::size_t{50'000}, std::size_t{3}}) {
    const bytes payload = frames::pattern(size, ++seed);
    auto header = frames::header(message_kind::run, seed);
    header.length = 12345;  // is not believed
    queue.push(header, payload);
    frames::append(expected, header, payload);
    queue.push(header, shared(payload));
    frames::append(expected, header, payload);
  }
  queue.push(frames::header(message_kind::stop), shared_payload{});
  frames::append(expected, frames::header(message_kind::stop), {});
}

}  // namespace

TEST_CASE(
    "given frames, when they are sent in parts of any size, then the bytes are what was pushed") {
  for (const std::size_t step :
       {1U, 2U, 7U, 16U, 47U, 48U, 49U, 1000U, 16384U, 100'000U, 10'000'000U}) {
    send_queue queue;
    CHECK(queue.empty());
    bytes expected;
    push_all(queue, expected);
    bytes sent;
    while (!queue.empty()) {
      REQUIRE(queue.size() == expected.size() - sent.size());
      send_some(queue, step, sent);
    }
    REQUIRE(sent == expected);
    REQUIRE(queue.pieces().empty());
  }
}

TEST_CASE("given a queue that is sent from, when more is pushed, then the order is kept") {
  send_queue queue;
  bytes expected;
  bytes sent;
  for (std::size_t round = 1; round < 40; ++round) {
    push_all(queue, expected);
    for (std::size_t part = 0; part < 5; ++part) send_some(queue, round * 997, sent);
  }
  while (!queue.empty()) send_some(queue, 1'000'000, sent);
  CHECK(sent == expected);
}

TEST_CASE("given what a queue sends, when a reader takes it, then the frames are those pushed") {
  send_queue queue;
  bytes expected;
  push_all(queue, expected);
  bytes sent;
  while (!queue.empty()) send_some(queue, 333, sent);
  frame_reader reader;
  frames::feed(reader, sent);
  int count = 0;
  while (reader.next()) ++count;
  CHECK(count == 17);
  CHECK_FALSE(reader.in_the_middle());
}

TEST_CASE("given a large shared payload, when it is pushed, then it is sent from where it lies") {
  send_queue queue;
  const auto payload = shared(frames::pattern(send_queue::copied_up_to + 1));
  queue.push(frames::header(message_kind::run), payload);
  CHECK(payload.use_count() == 2);
  CHECK(std::ranges::any_of(queue.pieces(), [&](const iovec& piece) {
    return piece.iov_base == payload->data() && piece.iov_len == payload->size();
  }));
  bytes sent;
  while (!queue.empty()) send_some(queue, 1000, sent);
  CHECK(payload.use_count() == 1);
}

TEST_CASE("given a small shared payload, when it is pushed, then it is copied and let go of") {
  send_queue queue;
  const auto payload = shared(frames::pattern(send_queue::copied_up_to));
  queue.push(frames::header(message_kind::run), payload);
  CHECK(payload.use_count() == 1);
}

TEST_CASE("given many small frames, when they are sent, then they leave in one piece") {
  send_queue queue;
  for (int frame = 0; frame < 100; ++frame) {
    queue.push(frames::header(message_kind::run), frames::pattern(64));
  }
  CHECK(queue.pieces().size() == 1);
}

TEST_CASE("given more pieces than fit, when they are sent, then the rest follows") {
  send_queue queue;
  bytes expected;
  const bytes payload = frames::pattern(send_queue::copied_up_to + 3);
  for (int frame = 0; frame < 60; ++frame) {
    queue.push(frames::header(message_kind::run), shared(payload));
    frames::append(expected, frames::header(message_kind::run), payload);
  }
  bytes sent;
  while (!queue.empty()) send_some(queue, expected.size(), sent);
  CHECK(sent == expected);
}
