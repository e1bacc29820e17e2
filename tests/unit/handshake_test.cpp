// SPDX-License-Identifier: BSL-1.0

// Which messages a worker may send, by what it has sent before.

#include <cstdint>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "host/handshake.hpp"

namespace {

using namespace coterie::detail;

const std::vector<message_kind> about_work{message_kind::values, message_kind::failure,
                                           message_kind::done};

void check_refused(const handshake& talk, message_kind kind, const std::string& why) {
  INFO("message " << static_cast<int>(kind));
  REQUIRE(talk.objection(kind) != nullptr);
  CHECK(talk.objection(kind) == why);
}

}  // namespace

TEST_CASE(
    "given a worker that has said nothing, when it speaks, then it must begin with its greeting") {
  const handshake talk;
  CHECK(talk.objection(message_kind::hello) == nullptr);
  for (int kind = static_cast<int>(message_kind::setup);
       kind <= static_cast<int>(message_kind::left); ++kind) {
    if (message_kind{static_cast<std::uint8_t>(kind)} == message_kind::hello) continue;
    check_refused(talk, message_kind{static_cast<std::uint8_t>(kind)},
                  "it did not begin with its greeting");
  }
  CHECK_FALSE(talk.greeted());
  CHECK_FALSE(talk.is_ready());
}

TEST_CASE("given a worker that has greeted, when it speaks, then it tells how its start went") {
  handshake talk;
  talk.greet();
  CHECK(talk.greeted());
  CHECK_FALSE(talk.is_ready());
  CHECK(talk.objection(message_kind::ready) == nullptr);
  CHECK(talk.objection(message_kind::not_ready) == nullptr);
  check_refused(talk, message_kind::hello, "it sent its greeting twice");
  for (const message_kind each : about_work) {
    check_refused(talk, each, "it sent results before it was ready");
  }
}

TEST_CASE("given a worker that is ready, when it speaks, then it tells of its work") {
  handshake talk;
  talk.greet();
  talk.become_ready();
  CHECK(talk.is_ready());
  for (const message_kind each : about_work) CHECK(talk.objection(each) == nullptr);
  check_refused(talk, message_kind::hello, "it sent its greeting twice");
  check_refused(talk, message_kind::ready, "it was ready, and said so again");
  check_refused(talk, message_kind::not_ready, "it was ready, and said so again");
  check_refused(talk, message_kind::left, "it left without having been told to");
  for (const message_kind each : {message_kind::setup, message_kind::define, message_kind::run,
                                  message_kind::forget, message_kind::cancel, message_kind::stop}) {
    check_refused(talk, each, "it sent a frame that only the parent sends");
  }
}

TEST_CASE(
    "given a worker that was told to stop, when it speaks, then it may take its leave as well") {
  handshake talk;
  talk.greet();
  talk.become_ready();
  talk.told_to_stop();
  CHECK(talk.is_ready());
  CHECK(talk.objection(message_kind::left) == nullptr);
  for (const message_kind each : about_work) CHECK(talk.objection(each) == nullptr);
}
