// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <cstddef>
#include <span>

#include <catch2/catch.hpp>

#include "worker_wire.hpp"

namespace {

using namespace coterie::detail;

}  // namespace

TEST_CASE("given frames, when they arrive in parts, then they come whole and in their order") {
  worker_wire wire;
  frames::bytes all;
  for (job_id job = 1; job <= 20; ++job) {
    frames::append(all, frames::header(message_kind::run, job), frames::pattern(job * 13));
  }
  job_id taken = 0;
  for (std::size_t at = 0; at < all.size(); at += 97) {
    wire.say(std::span{all}.subspan(at, std::min<std::size_t>(97, all.size() - at)));
    wire.link->wait();
    while (const auto next = wire.link->next()) {
      CHECK(frames::job_of(next->header) == ++taken);
      CHECK(frames::same(next->payload, frames::pattern(taken * 13)));
    }
  }
  CHECK(taken == 20);
}

TEST_CASE(
    "given frames in parts, when looks ahead are taken in between, then nothing is disturbed") {
  frames::bytes all;
  for (job_id job = 1; job <= 12; ++job) {
    frames::append(all, frames::header(message_kind::run, job),
                   frames::pattern(job * 29, static_cast<unsigned>(job)));
  }
  for (const std::size_t step : {1U, 31U, 48U, 97U, 400U, 100'000U}) {
    worker_wire wire;
    job_id taken = 0;
    std::size_t at = 0;
    const auto say_more = [&] {
      if (at == all.size()) return false;
      wire.say(std::span{all}.subspan(at, std::min(step, all.size() - at)));
      at = std::min(at + step, all.size());
      return true;
    };
    while (taken < 12) {
      const auto next = wire.link->next();
      if (!next) {
        REQUIRE(say_more());
        wire.link->wait();
        continue;
      }
      ++taken;
      // While this one is at work, more comes and is looked at.
      for (int look = 0; look < 3; ++look) {
        say_more();
        REQUIRE_FALSE(wire.link->cancelled(taken));
      }
      REQUIRE(frames::job_of(next->header) == taken);
      REQUIRE(
          frames::same(next->payload, frames::pattern(taken * 29, static_cast<unsigned>(taken))));
    }
  }
}

TEST_CASE("given a cancellation behind other frames, when it is looked for, then it is found") {
  worker_wire wire;
  wire.say(frames::header(message_kind::run, 1), frames::pattern(100));
  wire.say(frames::header(message_kind::run, 2), frames::pattern(30'000));
  wire.link->wait();
  REQUIRE(frames::job_of(wire.link->next()->header) == 1);
  CHECK_FALSE(wire.link->cancelled(1));
  wire.say(frames::header(message_kind::cancel, 2));
  CHECK_FALSE(wire.link->cancelled(1));
  CHECK(wire.link->cancelled(2));
  wire.say(frames::header(message_kind::cancel, 1));
  CHECK(wire.link->cancelled(1));
  CHECK(wire.link->cancelled(1));  // a look takes nothing away
  CHECK(frames::job_of(wire.link->next()->header) == 2);
  CHECK(wire.link->next()->header.kind == message_kind::cancel);
  CHECK(frames::job_of(wire.link->next()->header) == 1);
  CHECK_FALSE(wire.link->next().has_value());
  CHECK_FALSE(wire.link->cancelled(1));
}

TEST_CASE("given half a cancellation, when it is looked for, then it counts when it is whole") {
  worker_wire wire;
  wire.say(frames::header(message_kind::run, 1));
  wire.link->wait();
  REQUIRE(wire.link->next().has_value());
  frames::bytes cancel;
  frames::append(cancel, frames::header(message_kind::cancel, 1), {});
  wire.say(std::span{cancel}.first(20));
  CHECK_FALSE(wire.link->cancelled(1));
  wire.say(std::span{cancel}.subspan(20));
  CHECK(wire.link->cancelled(1));
}

TEST_CASE("given what comes behind a chunk, when another one has begun, then that is seen") {
  worker_wire wire;
  frames::bytes all;
  frames::append(all, frames::header(message_kind::run, 1), {});
  SECTION("and it is a chunk") {
    frames::append(all, frames::header(message_kind::cancel, 2), {});
    frames::append(all, frames::header(message_kind::run, 1), frames::pattern(100));
    wire.say(std::span{all}.first(all.size() - 50));
    wire.link->wait();
    REQUIRE(wire.link->next().has_value());
    CHECK(wire.link->another_chunk_has_come());
    wire.say(std::span{all}.last(50));
    REQUIRE(wire.link->next()->header.kind == message_kind::cancel);
    wire.link->wait();
    CHECK(frames::same(wire.link->next()->payload, frames::pattern(100)));
  }
  SECTION("unless it is something else") {
    frames::append(all, frames::header(message_kind::forget, 1), {});
    wire.say(all);
    wire.link->wait();
    REQUIRE(wire.link->next().has_value());
    CHECK_FALSE(wire.link->another_chunk_has_come());
  }
}

TEST_CASE("given what is sent, when it is flushed, then it leaves whole, and not before") {
  worker_wire wire;
  wire.link->send(message::values{.job = 5, .chunk = 1, .first = 0, .count = 1, .claimed = 0},
                  frames::pattern(33));
  CHECK(wire.link->unsent() > 0);
  CHECK(wire.sent().empty());
  wire.link->flush();
  CHECK(wire.link->unsent() == 0);
  const auto sent = wire.sent();
  REQUIRE(sent.size() == 1);
  CHECK(frames::job_of(sent[0].header) == 5);
  CHECK(sent[0].payload == frames::pattern(33));
}
