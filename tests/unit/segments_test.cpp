// SPDX-License-Identifier: BSL-1.0

// Both sides of a link's segments, in one process: what one says is carried to the other by hand.

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "channel/ring_channel.hpp"
#include "frames.hpp"
#include "links/parent_segments.hpp"
#include "messages/send_queue.hpp"
#include "simulation/event_loop.hpp"
#include "system/descriptor_channel.hpp"
#include "system/unique_descriptor.hpp"
#include "worker/worker_segments.hpp"

namespace {

using namespace coterie::detail;

constexpr std::size_t large = least_in_segment + 1000;

class two_sides {
 public:
  two_sides() {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
      throw std::system_error{errno, std::generic_category()};
    }
    to_worker = unique_descriptor{pair[0]};
    channel.emplace(to_worker.get(), byte_ring{rings}, byte_ring{rings});
    from_parent = unique_descriptor{pair[1]};
  }

  /// A chunk whose bytes the parent encodes where it should.
  [[nodiscard]] shared_payload encoded(std::size_t size, unsigned seed) const {
    auto bytes = std::make_shared<byte_buffer>(parent.argument_memory());
    const auto content = frames::pattern(size, seed);
    bytes->append(content.data(), content.size());
    return bytes;
  }

  void send(chunk_id chunk, const shared_payload& payload) {
    under_way[chunk] = payload;
    parent.send(frame_header::of(frames::chunk_of(1, chunk)), payload, queue, *channel);
  }

  /// The next frame for the worker; it takes those for the link itself.
  std::optional<frame> arrived() {
    while (!queue.empty()) {
      const auto pieces = queue.pieces();
      for (const iovec& each : pieces) {
        frames::feed(reader, {static_cast<const std::byte*>(each.iov_base), each.iov_len});
        queue.sent(each.iov_len);
        break;  // the pieces are others now
      }
    }
    for (;;) {
      const auto found = reader.next();
      if (!found || !is_for_the_link(found->header.kind)) return found;
      worker.take(found->header, [this] { return descriptor(); });
    }
  }

  /// The worker asks for memory, and gets the answer.
  void provide(std::size_t size) {
    const segment_number segment = worker.give_up_one();
    frame wish{frame_header::of(message::want_segment{.segment = segment, .size = size}), {}};
    CHECK_FALSE(parent.take(wish, queue, *channel));
    CHECK_FALSE(arrived().has_value());
    CHECK_FALSE(worker.asked_for(segment));
  }

  /// The worker sends results, of which the parent sees these.
  frame results(byte_buffer& bytes) {
    frame found{frames::header(message_kind::values, 1), {}};
    found.header.segment = worker.send(bytes.view());
    found.header.length = bytes.size();
    CHECK(parent.take(found, queue, *channel));
    return found;
  }

  unique_descriptor descriptor() {
    std::byte bell;
    auto came = receive_with_descriptors(from_parent.get(), {&bell, 1}, MSG_DONTWAIT);
    REQUIRE(came.descriptor_count == 1);
    return std::move(came.descriptors.front());
  }

  // Frames are carried by hand here: of the channel, the socket is used.
  alignas(64) std::array<std::byte, byte_ring::memory_for(4096)> rings{};
  std::optional<ring_channel> channel;
  unique_descriptor to_worker;
  unique_descriptor from_parent;
  std::shared_ptr<simulation::event_loop> loop = std::make_shared<simulation::event_loop>();
  parent_segments parent{*loop};
  worker_segments worker;
  std::map<chunk_id, shared_payload> under_way;
  send_queue queue;
  frame_reader reader;
};

void done(two_sides& sides, chunk_id chunk) {
  frame over{frame_header::of(message::done{.job = 1, .chunk = chunk, .busy = 0}), {}};
  CHECK(sides.parent.take(over, sides.queue, *sides.channel));
  sides.under_way.erase(chunk);
}

}  // namespace

TEST_CASE("given a large chunk, when it is sent, then the worker reads it where it was written") {
  two_sides sides;
  for (chunk_id chunk = 1; chunk <= 5; ++chunk) {
    const auto payload = sides.encoded(large, static_cast<unsigned>(chunk));
    REQUIRE(payload->memory() != nullptr);
    sides.send(chunk, payload);
    // Its memory is announced once.
    CHECK(sides.queue.size() == (chunk == 1 ? 2 : 1) * sizeof(frame_header));
    const auto arrived = sides.arrived();
    REQUIRE(arrived.has_value());
    CHECK(arrived->header.segment == 1);
    const auto there = sides.worker.argument(arrived->header);
    CHECK(there.data() != payload->data());
    CHECK(frames::same(there, frames::pattern(large, static_cast<unsigned>(chunk))));
    done(sides, chunk);
  }
}

TEST_CASE("given a small chunk, or the memory of another link, when sent, it goes with its frame") {
  two_sides sides;
  const two_sides another;
  for (const auto& payload : {sides.encoded(100, 1), another.encoded(large, 2)}) {
    sides.send(1, payload);
    CHECK(sides.queue.size() == sizeof(frame_header) + padded(payload->size()));
    const auto arrived = sides.arrived();
    REQUIRE(arrived.has_value());
    CHECK(arrived->header.segment == no_segment);
    const bool right =
        frames::same(arrived->payload, {payload->view().begin(), payload->view().end()});
    CHECK(right);
  }
}

TEST_CASE("given all segments in use, when one more chunk is encoded, it lies on the heap") {
  two_sides sides;
  std::vector<shared_payload> held;
  for (std::size_t each = 0; each < argument_segments_each; ++each) {
    held.push_back(sides.encoded(large, 0));
    CHECK(held.back()->memory() != nullptr);
  }
  CHECK(sides.encoded(large, 0)->memory() == nullptr);
  held.pop_back();
  CHECK(sides.encoded(large, 0)->memory() != nullptr);
}

TEST_CASE("given chunks that grow, when sent, larger memory takes the place of the smaller") {
  two_sides sides;
  std::size_t size = least_in_segment;
  for (chunk_id chunk = 1; chunk <= 10; ++chunk, size += size / 2) {
    sides.send(chunk, sides.encoded(size, static_cast<unsigned>(chunk)));
    const auto arrived = sides.arrived();
    REQUIRE(arrived.has_value());
    REQUIRE(arrived->header.segment != no_segment);
    CHECK(frames::same(sides.worker.argument(arrived->header),
                       frames::pattern(size, static_cast<unsigned>(chunk))));
    done(sides, chunk);
  }
}

TEST_CASE("given buffers that grow beyond a segment, when written on, then nothing is lost") {
  two_sides sides;
  byte_buffer bytes{sides.parent.argument_memory()};
  const auto content = frames::pattern(5 * large, 3);
  for (std::size_t at = 0; at < content.size(); at += 1000) {
    bytes.append(content.data() + at, std::min<std::size_t>(1000, content.size() - at));
  }
  CHECK(bytes.memory() != nullptr);
  CHECK(frames::same(bytes.view(), content));
}

TEST_CASE("given large results, when sent, the parent reads them where the worker wrote them") {
  two_sides sides;
  sides.provide(large);
  auto owner = std::shared_ptr<worker_segments>{&sides.worker, [](auto*) {}};
  for (unsigned round = 1; round <= 4; ++round) {
    byte_buffer bytes{owner};
    const auto content = frames::pattern(large, round);
    bytes.append(content.data(), content.size());
    REQUIRE(bytes.memory() != nullptr);
    const frame found = sides.results(bytes);
    bytes = byte_buffer{};
    CHECK(frames::same(found.payload, content));
    // Until they are read, no side writes there.
    CHECK(byte_buffer{owner}.memory() == nullptr);
    byte_buffer next{owner};
    next.reserve(large);
    CHECK(next.memory() == nullptr);
    sides.parent.release(sides.queue);
    CHECK_FALSE(sides.arrived().has_value());
  }
}

TEST_CASE("given segments for results, when both are sent, none is free until one has been read") {
  two_sides sides;
  auto owner = std::shared_ptr<worker_segments>{&sides.worker, [](auto*) {}};
  std::vector<byte_buffer> written;
  for (std::size_t each = 0; each < result_segments_each; ++each) {
    sides.provide(large);
    written.emplace_back(owner).extend(large);
    REQUIRE(written.back().memory() != nullptr);
  }
  CHECK(sides.worker.none_free());
  for (byte_buffer& each : written) sides.results(each);
  CHECK(sides.worker.none_free());
  sides.parent.release(sides.queue);
  CHECK_FALSE(sides.arrived().has_value());
  CHECK_FALSE(sides.worker.none_free());
}

TEST_CASE("given announcements seen ahead, when their turn comes, then nothing is taken for them") {
  two_sides sides;
  sides.send(1, sides.encoded(large, 1));
  frame_header told;
  std::memcpy(&told, sides.queue.pieces().front().iov_base, sizeof told);
  int taken = 0;
  const auto take = [&] {
    ++taken;
    return sides.descriptor();
  };
  sides.worker.take(told, take);
  CHECK(taken == 1);
  sides.worker.take(told, take);
  CHECK(taken == 1);
}

TEST_CASE("given memory that was not used for a while, when dropped, then both sides lose it") {
  two_sides sides;
  const auto before = sides.loop->now();
  sides.send(1, sides.encoded(large, 1));
  const auto run = sides.arrived();
  sides.provide(large);
  CHECK(sides.parent.any());
  done(sides, 1);
  sides.parent.drop_unused(before, sides.queue);
  CHECK(sides.queue.empty());  // used since
  sides.parent.drop_unused(sides.loop->now(), sides.queue);
  CHECK_FALSE(sides.parent.any());
  CHECK_FALSE(sides.arrived().has_value());
  CHECK_THROWS_AS(sides.worker.argument(run->header), bad_frame);
  auto owner = std::shared_ptr<worker_segments>{&sides.worker, [](auto*) {}};
  byte_buffer bytes{owner};
  bytes.reserve(large);
  CHECK(bytes.memory() == nullptr);
}

TEST_CASE("given a worker that lies about its memory, when it is heard, then it is not believed") {
  two_sides sides;
  sides.provide(large);
  frame lie{frames::header(message_kind::values, 1), {}};
  SECTION("no such segment") { lie.header.segment = 9; }
  SECTION("one that was never made") { lie.header.segment = result_segments_each; }
  SECTION("longer than it is") {
    lie.header.segment = 1;
    lie.header.length = 2 * large;
  }
  SECTION("an exception") {
    lie.header.kind = message_kind::failure;
    lie.header.segment = 1;
  }
  SECTION("a word of the parent's") { lie.header.kind = message_kind::result_taken; }
  const auto wish = [&](std::uint64_t segment, std::uint64_t size) {
    lie.header = frame_header::of(message::want_segment{.segment = segment, .size = size});
  };
  SECTION("a wish for no segment") { wish(0, 1); }
  SECTION("a wish for one too many") { wish(result_segments_each + 1, 1); }
  SECTION("a wish for nothing") { wish(1, 0); }
  SECTION("a wish for everything") { wish(1, ~std::uint64_t{0}); }
  CHECK_THROWS_AS(sides.parent.take(lie, sides.queue, *sides.channel), bad_frame);
}

TEST_CASE(
    "given a socket that takes no descriptor, when a large chunk is sent, it goes the long way") {
  two_sides sides;
  sides.to_worker.reset();
  const auto payload = sides.encoded(large, 1);
  sides.send(1, payload);
  CHECK(sides.queue.size() == sizeof(frame_header) + padded(large));
}

TEST_CASE("given memory that no link has, when it is spoken of, then that is not believed") {
  two_sides sides;
  frame_header run = frames::header(message_kind::run, 1);
  const auto nothing = [] { return unique_descriptor{}; };
  std::uint64_t announcements = 0;
  for (const int beyond : {1, 1000, 0xfff0}) {
    run.segment = static_cast<segment_number>(argument_segments_each + beyond);
    CHECK_THROWS_AS(sides.worker.argument(run), bad_frame);
    const message::result_taken taken{
        .announcement = ++announcements,
        .segment = result_segments_each + static_cast<std::uint64_t>(beyond),
        .size = 0};
    CHECK_THROWS_AS(sides.worker.take(frame_header::of(taken), nothing), bad_frame);
  }
  run.segment = no_segment;
  CHECK_THROWS_AS(sides.worker.argument(run), bad_frame);
}

TEST_CASE("given a descriptor of no memory, when a frame speaks of it, then that is not believed") {
  two_sides sides;
  frame_header told =
      frame_header::of(message::argument_segment{.announcement = 1, .segment = 1, .size = large});
  told.kind = GENERATE(message_kind::argument_segment, message_kind::result_segment);
  const auto no_memory = [] { return unique_descriptor{::open("/dev/null", O_RDWR | O_CLOEXEC)}; };
  CHECK_THROWS_AS(sides.worker.take(told, no_memory), bad_frame);
}
