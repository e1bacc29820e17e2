// SPDX-License-Identifier: BSL-1.0

// How a worker sleeps that shares rings with its parent: for a while on a word of that memory,
// then on its socket.

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <system_error>
#include <utility>

#include <catch2/catch.hpp>

#include "channel/ring_channel.hpp"
#include "channel/ring_pair.hpp"
#include "frames.hpp"
#include "made_up_runtime.hpp"
#include "system/shared_memory.hpp"
#include "system/unique_descriptor.hpp"
#include "timing/timing.hpp"
#include "worker/worker_ring.hpp"

namespace {

using namespace coterie::detail;

constexpr std::size_t capacity = 4096;

/// A worker's end, and a parent's beside it.
struct both_ends {
  both_ends() {
    std::array<int, 2> pair{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) {
      throw std::system_error{errno, std::generic_category()};
    }
    parents = unique_descriptor{pair[0]};
    workers = unique_descriptor{pair[1]};
    auto memory = shared_memory::create(ring_pair::memory_for(capacity));
    const ring_pair shared{memory.bytes(), capacity};
    parent.emplace(parents.get(), shared.to_parent, shared.to_worker);
    worker.emplace(workers.get(), std::move(memory), capacity, std::chrono::nanoseconds::zero(),
                   runtime);
  }

  void parent_writes() {
    const std::byte one{};
    const iovec piece{.iov_base = const_cast<std::byte*>(&one), .iov_len = 1};
    REQUIRE(parent->write({&piece, 1}) == 1);
    REQUIRE(parent->notify());
  }
  std::size_t worker_reads() { return worker->read(space, true); }
  [[nodiscard]] bool has_bell() const {
    pollfd bell{workers.get(), POLLIN, 0};
    return ::poll(&bell, 1, 0) > 0;
  }

  unique_descriptor parents;
  unique_descriptor workers;
  made_up_runtime runtime;
  std::optional<ring_channel> parent;
  std::optional<worker_ring> worker;
  frames::bytes space = frames::bytes(64);
};

}  // namespace

TEST_CASE("given a worker without work, when some comes soon, then it wakes without a bell") {
  both_ends ends;
  const auto begin = ends.runtime.time;
  ends.runtime.while_it_waits = [&] { ends.parent_writes(); };
  CHECK(ends.worker_reads() == 1);
  CHECK(ends.runtime.time == begin);
  CHECK_FALSE(ends.has_bell());
}

TEST_CASE("given a worker without work for long, when some comes, then a bell wakes it") {
  both_ends ends;
  const auto begin = ends.runtime.time;
  int waits = 0;
  ends.runtime.while_it_waits = [&] {
    if (++waits == 1) return;
    ends.parent_writes();
    CHECK(ends.has_bell());
  };
  CHECK(ends.worker_reads() == 1);
  CHECK(waits == 2);
  CHECK(ends.runtime.time == begin + timing::worker_nap);
  CHECK_FALSE(ends.has_bell());

  // Then it naps again.
  waits = 1;
  ends.runtime.while_it_waits = [&] { ends.parent_writes(); };
  CHECK(ends.worker_reads() == 1);
  CHECK_FALSE(ends.has_bell());
}

TEST_CASE("given a worker without work, when its parent is killed, then it leaves after its nap") {
  both_ends ends;
  const auto begin = ends.runtime.time;
  ends.runtime.while_it_waits = [&] { ends.parents.reset(); };
  CHECK_THROWS_AS(ends.worker_reads(), worker_ended);
  CHECK(ends.runtime.time == begin + timing::worker_nap);
}

TEST_CASE("given a worker without work, when its parent ends the link, then it leaves at once") {
  both_ends ends;
  const auto begin = ends.runtime.time;
  const auto end_link = [&] {
    ends.parents.reset();
    ends.parent->notify_of_end();
    ends.runtime.while_it_waits = [] {};
  };
  SECTION("while it sleeps") { ends.runtime.while_it_waits = end_link; }
  SECTION("before") { end_link(); }
  CHECK_THROWS_AS(ends.worker_reads(), worker_ended);
  CHECK(ends.runtime.time == begin);
}
