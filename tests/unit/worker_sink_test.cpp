// SPDX-License-Identifier: BSL-1.0
#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <coterie/detail/exception_wire.hpp>

#include "processes/exit_status.hpp"
#include "support/child.hpp"
#include "worker/worker_sink.hpp"
#include "worker_wire.hpp"

namespace {

using namespace coterie::detail;

void succeed(worker_sink& sink, const frames::bytes& result) {
  sink.results().append(result.data(), result.size());
  sink.succeeded(1);
}

void fail(worker_sink& sink, const char* what) {
  try {
    throw std::runtime_error{what};
  } catch (...) {
    sink.failed();
  }
}

std::string what_arrived(const worker_wire::message& from) {
  try {
    std::rethrow_exception(decode_exception(from.payload, {}));
  } catch (const std::exception& problem) {
    return problem.what();
  }
}

/// Runs a chunk of job 1, chunk 2, and returns what it sent.
template <class Body>
std::vector<worker_wire::message> run(worker_wire& wire, std::size_t count, Body body) {
  worker_sink sink{*wire.link, wire.runtime};
  sink.begin(frames::chunk_of(count), {});
  body(sink);
  sink.end();
  wire.link->flush();
  auto sent = wire.sent();
  REQUIRE_FALSE(sent.empty());
  CHECK(frames::ends_chunk(sent.back().header));
  for (const auto& each : sent) {
    CHECK(frames::results_of(each.header).job == 1);
    CHECK(frames::results_of(each.header).chunk == 2);
  }
  return sent;
}

}  // namespace

TEST_CASE("given results that come quickly, when the chunk ends, then they leave together") {
  worker_wire wire;
  const auto sent = run(wire, 3, [](worker_sink& sink) {
    for (unsigned item = 0; item < 3; ++item) succeed(sink, frames::pattern(4, item));
  });
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].header.kind == message_kind::values);
  CHECK(frames::results_of(sent[0].header).first == 0);
  CHECK(frames::results_of(sent[0].header).count == 3);
  CHECK(sent[0].payload.size() == 12);
}

TEST_CASE("given a failure between results, when it is told, then the order of the items is kept") {
  worker_wire wire;
  const auto sent = run(wire, 4, [](worker_sink& sink) {
    succeed(sink, frames::pattern(8));
    succeed(sink, frames::pattern(8));
    const auto half = frames::pattern(5);
    sink.results().append(half.data(), half.size());  // was being written when it failed
    fail(sink, "third");
    succeed(sink, frames::pattern(8));
  });
  REQUIRE(sent.size() == 3);
  CHECK(frames::results_of(sent[0].header).first == 0);
  CHECK(frames::results_of(sent[0].header).count == 2);
  CHECK(frames::results_of(sent[0].header).busy == 0);
  CHECK(sent[0].payload.size() == 16);
  CHECK(sent[1].header.kind == message_kind::failure);
  CHECK(frames::failure_of(sent[1].header).item == 2);
  CHECK(what_arrived(sent[1]) == "third");
  CHECK(frames::results_of(sent[2].header).first == 3);
  CHECK(frames::results_of(sent[2].header).count == 1);
  CHECK(sent[2].payload == frames::pattern(8));
}

TEST_CASE("given failures only, when the chunk ends, then there are no values") {
  worker_wire wire;
  const auto sent = run(wire, 2, [](worker_sink& sink) {
    fail(sink, "one");
    fail(sink, "two");
  });
  REQUIRE(sent.size() == 3);
  CHECK(what_arrived(sent[0]) == "one");
  CHECK(what_arrived(sent[1]) == "two");
}

TEST_CASE(
    "given a chunk that makes no sense, when the rest is failed, then every item has its fate") {
  worker_wire wire;
  const auto sent = run(wire, 5, [](worker_sink& sink) {
    succeed(sink, frames::pattern(4));
    succeed(sink, frames::pattern(4));
    try {
      throw std::runtime_error{"not what the parent encodes"};
    } catch (...) {
      sink.fail_rest();
    }
  });
  REQUIRE(sent.size() == 5);
  CHECK(frames::results_of(sent[0].header).count == 2);
  for (std::size_t index = 1; index < 4; ++index) {
    CHECK(sent[index].header.kind == message_kind::failure);
    CHECK(frames::failure_of(sent[index].header).item == index + 1);
  }
}

TEST_CASE("given nothing that ran, when the chunk ends, then only its end is told") {
  worker_wire wire;
  CHECK(run(wire, 5, [](worker_sink&) {}).size() == 1);
}

TEST_CASE("given one chunk after another, when they end, then each counts its items anew") {
  worker_wire wire;
  worker_sink sink{*wire.link, wire.runtime};
  for (const chunk_id chunk : {10U, 11U}) {
    sink.begin(frames::chunk_of(1, chunk), {});
    succeed(sink, frames::pattern(4));
    sink.end();
  }
  wire.link->flush();
  const auto sent = wire.sent();
  REQUIRE(sent.size() == 2);
  CHECK(frames::results_of(sent[1].header).chunk == 11);
  CHECK(frames::results_of(sent[1].header).first == 0);
}

TEST_CASE("given results that are large in all, when there are enough, then they do not wait") {
  worker_wire wire;
  worker_sink sink{*wire.link, wire.runtime};
  sink.begin(frames::chunk_of(100), {});
  for (int item = 0; item < 5; ++item) {
    succeed(sink, frames::pattern(std::size_t{64} << 10U));
    CHECK(wire.sent().size() == 1);
    CHECK(sink.results().empty());
  }
}

TEST_CASE("given a cancellation, when the sink is asked, then no more items may run") {
  worker_wire wire;
  worker_sink sink{*wire.link, wire.runtime};
  sink.begin(frames::chunk_of(100), {});
  wire.say(frames::header(message_kind::cancel, 3));  // another job
  wire.say(frames::header(message_kind::cancel, 1));
  CHECK(sink.allowance() == 0);
}

TEST_CASE("given no cancellation, when the sink is asked, then items may run") {
  worker_wire wire;
  worker_sink sink{*wire.link, wire.runtime};
  sink.begin(frames::chunk_of(200), {});
  CHECK(sink.allowance() == 1);  // nothing is known of their pace
  for (int look = 0; look < 100; ++look) {
    succeed(sink, frames::pattern(4));
    CHECK(sink.allowance() >= 1);
  }
}

TEST_CASE(
    "given chunks of a size, when one ends, then its results are out before the next begins") {
  worker_wire wire;
  worker_sink sink{*wire.link, wire.runtime};
  sink.begin(frames::chunk_of(5), {.chunksize = 2});
  for (unsigned item = 0; item < 5; ++item) {
    const std::size_t allowed = sink.allowance();
    CHECK(allowed <= 2 - item % 2);
    message::values known{};
    for (const auto& each : wire.sent()) {
      known.count += frames::results_of(each.header).count;
      known.claimed += frames::results_of(each.header).claimed;
    }
    const bool is_first = item == 2 || item == 4;
    CHECK(known.count == (is_first ? 2 : 0));
    // What runs next is said with them.
    CHECK(known.claimed == (is_first ? allowed : 0));
    succeed(sink, frames::pattern(4, item));
  }
}

TEST_CASE("given a chunk that goes on elsewhere, when its items end, then they keep their places") {
  worker_wire wire;
  worker_sink sink{*wire.link, wire.runtime};
  message::run rest = frames::chunk_of(5);
  rest.begin = 3;
  sink.begin(rest, {});
  succeed(sink, frames::pattern(4));
  try {
    throw std::runtime_error{"no more"};
  } catch (...) {
    sink.fail_rest();
  }
  sink.end();
  wire.link->flush();
  const auto sent = wire.sent();
  REQUIRE(sent.size() == 3);
  CHECK(frames::results_of(sent[0].header).first == 3);
  CHECK(frames::results_of(sent[1].header).first == 4);
  CHECK(sent[2].header.kind == message_kind::done);
}

TEST_CASE("given a job of quick items, when another begins, then nothing is known of its pace") {
  worker_wire wire;
  worker_sink sink{*wire.link, wire.runtime};
  constexpr std::size_t many = 1'000'000;
  sink.begin(frames::chunk_of(many), {});
  // Quick or not is for the clock to say: in the end they are.
  std::size_t granted = 0;
  for (std::size_t item = 0; granted < 2 && item < many / 2; ++item) {
    granted = sink.allowance();
    sink.succeeded(1);
  }
  REQUIRE(granted > 1);
  message::run next = frames::chunk_of(10, 3);
  SECTION("if it is the same, what is known stays known") {
    sink.end();
    sink.begin(next, {});
    CHECK(sink.allowance() > 1);
  }
  SECTION("if it is another, it begins with one") {
    sink.end();
    next.job = 2;
    sink.begin(next, {});
    CHECK(sink.allowance() == 1);
  }
}

// ---- forks ------------------------------------------------------------------------------------

TEST_CASE("given a worker, when a forked child goes on in its place, then it is ended at once") {
  worker_wire wire;
  worker_sink sink{*wire.link, wire.runtime};
  REQUIRE(sink.begin(frames::chunk_of(2), {}));
  REQUIRE(sink.allowance() > 0);
  wire.sent();
  const int way = GENERATE(0, 1, 2, 3, 4, 5);
  INFO(way);
  const int code = test::in_child([&] {
    switch (way) {
      case 0:
        sink.allowance();
        break;
      case 1:
        sink.end();
        break;
      case 2:
        try {
          throw std::runtime_error{"from the child"};
        } catch (...) {
          sink.failed();
        }
        break;
      case 3:
        wire.link->flush();
        break;
      case 4:
        wire.link->publish();
        break;
      default:
        wire.link->next();
    }
    return 0;
  });
  CHECK(code == exit_forked);
  CHECK(wire.sent().empty());
}
