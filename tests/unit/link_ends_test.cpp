// SPDX-License-Identifier: BSL-1.0

// What the contract of `link` says of ends, on every kind of link. See also
// `link_contract_test.cpp` and `link_belief_test.cpp`.

#include <array>
#include <memory>

#include <catch2/catch.hpp>

#include "link_wire.hpp"
#include "support/open_descriptors.hpp"

namespace {

// As much as fits into every kind at once.
constexpr std::array<std::size_t, 5> sizes{0, 1, 333, 4096, 7001};

void worker_sends_some(link_wire& wire) {
  for (std::size_t i = 0; i < sizes.size(); ++i) wire.worker_sends(i + 1, sizes.at(i));
  wire.worker->flush();
}
void check_all_taken(const link_wire& wire) {
  REQUIRE(wire.parent->taken.size() == sizes.size());
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    CHECK(is_frame(wire.parent->taken[i], i + 1, sizes.at(i)));
  }
}

// The user refuses the first frames that come.
void refuse_frames(link_wire& wire) {
  wire.parent_sends_items(frames::chunk_of(10));
  wire.parent->wire->flush();
  wire.parent->refuses = true;
  worker_sends_some(wire);
  CHECK(wire.run_until([&] { return wire.parent->calls > 0; }));
}

}  // namespace

// ---- the worker ends --------------------------------------------------------------------------

TEST_CASE("given a worker that ends at once, when that is said, then all that it sent is told") {
  const link_kind kind = any_kind();
  CAPTURE(kind.name);
  link_wire wire{kind};
  if (GENERATE(false, true)) wire.run_for(seconds{1});
  worker_sends_some(wire);
  wire.worker_ends();
  wire.parent->wire->finish();
  wire.parent->wire->finish();
  CHECK(wire.parent->calls == 0);
  wire.run_for(seconds{10});
  check_all_taken(wire);
  CHECK(wire.parent->told == link_wire::told{"finished"});
  wire.parent->wire->finish();
  wire.run_for(seconds{10});
  CHECK(wire.parent->told == link_wire::told{"finished"});
}

TEST_CASE("given a worker that closes its end, when the parent runs, then the loss is told once") {
  const link_kind kind = any_kind();
  CAPTURE(kind.name);
  link_wire wire{kind};
  wire.parent_sends_items(frames::chunk_of(10));
  wire.parent->wire->flush();
  wire.run_for(milliseconds{GENERATE(0, 1, 100)});
  worker_sends_some(wire);
  wire.worker_ends();
  CHECK(wire.run_until([&] { return !wire.parent->told.empty(); }));
  check_all_taken(wire);
  const auto calls = wire.parent->calls;
  wire.parent->wire->flush();
  wire.run_for(seconds{10});
  CHECK(wire.parent->calls == calls);
  CHECK(wire.parent->told == link_wire::told{"lost"});
  wire.parent->wire->finish();
  wire.run_for(seconds{10});
  CHECK(wire.parent->told == link_wire::told{"lost", "finished"});
  CHECK(wire.parent->taken.size() == sizes.size());
}

TEST_CASE("given results that were shown, when the worker ends, then they are told at its end") {
  const link_kind kind = any_rings();
  CAPTURE(kind.name);
  const bool is_lost = GENERATE(false, true);
  link_wire wire{kind};
  wire.parent_sends_items(frames::chunk_of(10));
  wire.parent->wire->flush();
  wire.worker_sends(1, 10);
  wire.worker->flush();
  wire.worker_shows_result(2, 100);
  wire.worker_ends();
  if (is_lost) {
    CHECK(wire.run_until([&] { return !wire.parent->told.empty(); }));
    const auto taken = wire.parent->taken.size();
    wire.run_for(seconds{10});
    CHECK(wire.parent->taken.size() == taken);
  }
  wire.parent->wire->finish();
  wire.run_for(seconds{10});
  REQUIRE(wire.parent->taken.size() == 2);
  CHECK(frames::results_of(wire.parent->taken[1].header).chunk == 2);
  CHECK(wire.parent->taken[1].payload == frames::pattern(100));
  CHECK(wire.parent->told.back() == "finished");
}

TEST_CASE("given a full ring and results that were shown, when the worker ends, then all is told") {
  const link_kind kind = any_rings();
  CAPTURE(kind.name);
  link_wire wire{kind};
  constexpr std::size_t size = 4096;
  const std::size_t count = kind.settings.capacity / size;
  for (std::size_t i = 1; i <= count; ++i) wire.worker_sends(i, size - sizeof(frame_header));
  wire.worker->publish();
  wire.worker_shows_result(2, 100);
  wire.worker_ends();
  wire.parent->wire->finish();
  wire.run_for(seconds{10});
  CHECK(wire.parent->taken.size() == count + 1);
  CHECK(wire.parent->taken.back().payload == frames::pattern(100));
}

TEST_CASE("given a worker that ends in the middle of a frame, then what came before is told") {
  const link_kind kind = any_kind();
  CAPTURE(kind.name);
  link_wire wire{kind};
  worker_sends_some(wire);
  frames::bytes bytes;
  frames::append(bytes, frames::header(message_kind::failure, 9), frames::pattern(500));
  bytes.resize(bytes.size() - GENERATE(1U, 100U, 520U));
  wire.worker_writes(bytes);
  if (GENERATE(false, true)) wire.run_for(seconds{1});
  wire.worker_ends();
  wire.parent->wire->finish();
  wire.run_for(seconds{10});
  check_all_taken(wire);
  CHECK(wire.parent->errors.empty());
  CHECK(wire.parent->told == link_wire::told{"finished"});
}

TEST_CASE("given a process that writes on, when the worker has ended, then its link ends too") {
  const link_kind kind = any_kind();
  CAPTURE(kind.name);
  link_wire wire{kind};
  worker_sends_some(wire);
  constexpr std::size_t most = 20'000;
  wire.parent->when_told = wire.parent->when_taken = [&] {
    if (wire.parent->taken.size() > most) return;
    wire.worker_sends(100, 200);
    wire.worker->flush();
  };
  wire.parent->wire->finish();
  CHECK(wire.run_until([&] { return !wire.parent->told.empty(); }));
  CHECK(wire.parent->taken.size() >= sizes.size());
  CHECK(wire.parent->taken.size() < most);
  const auto calls = wire.parent->calls;
  wire.run_for(seconds{10});
  CHECK(wire.parent->calls == calls);
  CHECK(wire.parent->told == link_wire::told{"finished"});
}

TEST_CASE("given a user that refuses frames, when more come, then it is told of the end alone") {
  const link_kind kind = any_kind();
  CAPTURE(kind.name);
  link_wire wire{kind};
  refuse_frames(wire);
  wire.worker_sends(9, 10);
  wire.worker->flush();
  wire.run_for(seconds{10});
  wire.parent->wire->flush();
  if (GENERATE(false, true)) wire.worker_ends();
  wire.run_for(seconds{10});
  CHECK(wire.parent->calls == 1);
  CHECK(wire.parent->told.empty());
  wire.parent->wire->finish();
  wire.run_for(seconds{10});
  CHECK(wire.parent->calls == 1);
  CHECK(wire.parent->told == link_wire::told{"finished"});
}

TEST_CASE("given a user that refuses frames, when some lie there, then nothing is looked for") {
  const link_kind kind = any_kind();
  CAPTURE(kind.name);
  link_wire wire{kind};
  refuse_frames(wire);
  wire.run_for(seconds{10});
  CHECK_FALSE(wire.loop->next().has_value());
}

// ---- the parent ends it -----------------------------------------------------------------------

TEST_CASE("given a link that waits, when it is closed, then its rest is told, and nothing else") {
  const link_kind kind = any_kind();
  CAPTURE(kind.name);
  link_wire wire{kind};
  // Also for room.
  if (GENERATE(false, true)) {
    for (std::uint64_t i = 1; i <= 30; ++i) wire.parent_sends(i, 50'000);
    wire.parent->wire->flush();
  }
  wire.run_for(milliseconds{GENERATE(0, 200)});
  worker_sends_some(wire);
  wire.parent->wire->close();
  CHECK_FALSE(wire.parent->wire->at_rest());
  wire.parent->wire->close();
  CHECK(wire.parent->told.empty());
  CHECK(wire.run_until([&] { return !wire.parent->told.empty(); }));
  CHECK(wire.parent->wire->at_rest());
  wire.parent->wire->finish();
  wire.parent_sends(1, 10);
  wire.parent->wire->flush();
  CHECK_FALSE(wire.parent->wire->claimed().has_value());
  CHECK_FALSE(wire.parent->wire->revoke({}));
  CHECK_FALSE(wire.parent->wire->next().has_value());
  wire.run_for(seconds{10});
  CHECK(wire.parent->told == link_wire::told{"at rest"});
  CHECK(wire.parent->calls == 0);
  // The other side sees it, behind what it had been sent.
  const auto takes_all = [&] {
    for (int i = 0; i < 100; ++i) {
      wire.worker->wait();
      wire.worker_takes();
    }
  };
  CHECK_THROWS_AS(takes_all(), worker_ended);
}

TEST_CASE("given a worker that naps, when the link is closed or given up, then it wakes up") {
  link_wire wire{over_rings};
  ring_reader worker{wire.shared().to_worker};
  REQUIRE(worker.prepare_sleep(wake_by::futex));
  SECTION("closed") { wire.parent->wire->close(); }
  SECTION("given up, since the worker claims to have read what was not written") {
    wire.shared().to_worker.words().tail = 1;
    wire.parent_sends(1, 10);
    wire.parent->wire->flush();
  }
  CHECK(worker.sleep_word() != ring_reader::sleep_value);
}

TEST_CASE("given a link without a wait, when it is closed, then nothing is told") {
  const link_kind kind = any_kind();
  CAPTURE(kind.name);
  link_wire wire{kind};
  wire.worker_ends();
  if (GENERATE(false, true)) {
    wire.parent->wire->finish();
  }
  CHECK(wire.run_until([&] { return !wire.parent->told.empty(); }));
  const auto told = wire.parent->told;
  const auto calls = wire.parent->calls;
  wire.parent->wire->close();
  CHECK(wire.parent->wire->at_rest());
  wire.parent->wire->finish();
  wire.parent->wire->flush();
  CHECK_FALSE(wire.parent->wire->next().has_value());
  wire.run_for(seconds{10});
  CHECK(wire.parent->told == told);
  CHECK(wire.parent->calls == calls);
}

TEST_CASE("given a frame that is told, when the link is closed meanwhile, then nothing follows") {
  const link_kind kind = any_kind();
  CAPTURE(kind.name);
  const bool finishes = GENERATE(false, true);
  const bool abandons = GENERATE(false, true);
  link_wire wire{kind};
  wire.parent->when_taken = [&] {
    abandons ? wire.parent->wire->abandon() : wire.parent->wire->close();
  };
  worker_sends_some(wire);
  if (finishes) {
    wire.worker_ends();
    wire.parent->wire->finish();
  }
  wire.run_for(seconds{10});
  CHECK(wire.parent->taken.size() == 1);
  CHECK(wire.parent->told.empty());
  CHECK(wire.parent->wire->at_rest());
}

TEST_CASE("given a link at any stage, when it is abandoned, then all is given back at once") {
  const link_kind kind = any_kind();
  CAPTURE(kind.name);
  const auto before = open_descriptors();
  link_wire wire{kind, false};
  const int stage = GENERATE(0, 1, 2, 3, 4, 5);
  CAPTURE(stage);
  if (stage > 0) wire.start();
  if (stage > 1) {
    wire.parent_sends_items(frames::chunk_of(10), 600'000);
    for (std::uint64_t i = 1; i <= 30; ++i) wire.parent_sends(i, 50'000);
    wire.parent->wire->flush();
    wire.run_for(milliseconds{2});
  }
  if (stage > 2) {
    worker_sends_some(wire);
    wire.run_for(milliseconds{60});
  }
  if (stage == 4) wire.parent->wire->finish();
  if (stage == 5) wire.parent->wire->close();
  const auto told = wire.parent->told;
  const auto calls = wire.parent->calls;
  wire.worker_ends();
  wire.parent->wire->abandon();
  CHECK(wire.parent->told == told);
  CHECK(wire.parent->calls == calls);
  const std::weak_ptr<link_user> owner = std::exchange(wire.parent, {});
  wire.loop->drop_all();
  CHECK(owner.expired());
  CHECK(open_descriptors() == before);
}

TEST_CASE(
    "given a link that is to check later, when it is abandoned, then the check is forgotten") {
  const link_kind kind = any_kind();
  CAPTURE(kind.name);
  link_wire wire{kind};
  wire.parent_sends(1, 10);
  wire.parent->wire->flush();
  wire.run_for(milliseconds{100});
  wire.parent->wire->abandon();
  CHECK_FALSE(wire.loop->next().has_value());
  wire.parent->wire->flush();
  wire.parent->wire->close();
  CHECK_FALSE(wire.loop->next().has_value());
}

TEST_CASE("given a wait, when its user is let go of, then the wait keeps it alive") {
  const link_kind kind = any_kind();
  CAPTURE(kind.name);
  link_wire wire{kind};
  wire.parent_sends(1, 10);
  wire.parent->wire->flush();
  wire.run_for(milliseconds{100});
  const std::weak_ptr<link_user> owner = std::exchange(wire.parent, {});
  REQUIRE_FALSE(owner.expired());
  worker_sends_some(wire);
  CHECK(wire.run_until([&] { return owner.lock()->taken.size() == sizes.size(); }));
  owner.lock()->wire->close();
  wire.run_for(milliseconds{100});  // a check would come later
  CHECK(owner.expired());
}
