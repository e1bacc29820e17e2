// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include <coterie/detail/byte_buffer.hpp>
#include <coterie/detail/result_progress.hpp>

#include "channel/link_offer.hpp"
#include "channel/ring_pair.hpp"
#include "frames.hpp"
#include "links/make_link.hpp"
#include "made_up_runtime.hpp"
#include "simulation/event_loop.hpp"
#include "system/descriptor_channel.hpp"
#include "system/shared_memory.hpp"
#include "worker/worker_link.hpp"
#include "worker/worker_transport.hpp"

using namespace coterie::detail;  // NOLINT: part of the tests that include it
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

/// The kinds of links, each of which is to keep the contract of `link`.
struct link_kind {
  const char* name;
  ring_settings settings;

  [[nodiscard]] bool has_rings() const noexcept { return settings.capacity > 0; }
};
inline const link_kind over_rings{"rings", {.capacity = std::size_t{256} << 10U}};
inline const link_kind over_polled_rings{
    "rings with polling", {.capacity = std::size_t{256} << 10U, .busy_poll = microseconds{50}}};
inline const link_kind over_small_rings{"the smallest rings", {.capacity = std::size_t{16} << 10U}};
inline const link_kind over_socket{"a socket", {}};

inline link_kind any_kind() {
  return GENERATE(over_rings, over_polled_rings, over_small_rings, over_socket);
}
inline link_kind any_rings() { return GENERATE(over_rings, over_polled_rings, over_small_rings); }

/// What a user of a link is told, and the frames that it takes.
class link_user final : public link_events {
 public:
  struct message {
    frame_header header;
    frames::bytes payload;
  };

  std::unique_ptr<coterie::detail::link> wire;
  std::vector<message> taken;
  std::vector<std::string> told;  // all but that frames came
  std::vector<std::string> errors;
  std::size_t calls = 0;  // of `frames_came`
  bool refuses = false;   // frames, from the next on
  expected_news expected = expected_news::announced;
  std::function<void()> when_told = [] {};  // that frames came
  std::function<void()> when_taken = [] {};

  [[nodiscard]] bool frames_came() override {
    ++calls;
    if (refuses) return false;
    when_told();
    try {
      while (const auto next = wire->next()) {
        taken.push_back({next->header, {next->payload.begin(), next->payload.end()}});
        when_taken();
      }
    } catch (const bad_frame& error) {
      errors.emplace_back(error.what());
      return false;
    }
    return true;
  }
  void lost() override { told.emplace_back("lost"); }
  void finished() override { told.emplace_back("finished"); }
  void at_rest() override { told.emplace_back("at rest"); }
  [[nodiscard]] expected_news expects() const override { return expected; }
};

/// As `link_wire` sends it from either side.
inline bool is_frame(const link_user::message& arrived, std::uint64_t number, std::size_t size) {
  return frames::job_of(arrived.header) == number &&
         arrived.payload == frames::pattern(size, static_cast<unsigned>(number));
}

/// Both ends of a link in one thread: the parent's on a loop whose clock is made up, and the real
/// end of a worker.
class link_wire {
 public:
  using told = std::vector<std::string>;

  explicit link_wire(const link_kind& kind, bool starts = true) {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
      throw std::system_error{errno, std::generic_category()};
    }
    socket = unique_descriptor{pair[1]};
    auto made = make_link(*loop, unique_descriptor{pair[0]}, kind.settings);
    REQUIRE_FALSE(made.lacks_memory);
    payload_memory = std::move(made.payload_memory);
    parent->wire = std::move(made.wire);
    if (kind.has_rings()) map_memory(kind.settings.capacity);
    auto accepted = worker_transport::accept(socket.get(), runtime);
    transport = accepted.transport.get();
    worker = std::make_unique<worker_link>(std::move(accepted.transport), runtime);
    runtime.while_it_waits = [this] { run_for(seconds{1}); };
    if (starts) start();
  }
  link_wire(const link_wire&) = delete;
  link_wire& operator=(const link_wire&) = delete;
  ~link_wire() {
    loop->drop_all();
    if (parent) parent->wire->abandon();
  }

  void start() { parent->wire->start(parent); }

  // ---- the parent ----

  /// Runs the parent for so long by its clock.
  void run_for(nanoseconds time) {
    const auto end = loop->now() + time;
    run(end, [] { return false; });
    loop->pass_until(end);
  }
  /// Runs it until that is so. False: it never is.
  template <class Condition>
  bool run_until(Condition condition) {
    return run(loop->now() + std::chrono::minutes{1}, condition) || condition();
  }
  /// How long it takes.
  template <class Condition>
  nanoseconds time_until(Condition condition) {
    const auto begin = loop->now();
    CHECK(run_until(condition));
    return loop->now() - begin;
  }
  /// Queues a frame without results at the parent.
  void parent_sends(job_id number, std::size_t size) {
    parent->wire->send(frames::header(message_kind::define, number), payload(number, size));
  }
  void parent_sends_items(const message::run& items, std::size_t size = 0) {
    parent->wire->send(frame_header::of(items), payload(items.chunk, size));
  }
  /// As where payloads had best lie.
  shared_payload payload(std::uint64_t seed, std::size_t size) {
    byte_buffer made{payload_memory};
    const auto bytes = frames::pattern(size, static_cast<unsigned>(seed));
    made.append(bytes.data(), bytes.size());
    payloads_.push_back(std::make_shared<const byte_buffer>(std::move(made)));
    return payloads_.back();
  }

  // ---- the worker ----

  void worker_sends(std::uint64_t number, std::size_t size) {
    worker->send(message::failure{.job = number, .chunk = 0, .item = 0},
                 frames::pattern(size, static_cast<unsigned>(number)));
  }
  /// Takes what has come, without waiting.
  void worker_takes() {
    for (std::size_t before = 0;; before = received.size()) {
      static_cast<void>(worker->cancelled(0));
      while (const auto next = worker->next()) {
        const auto items = worker->items_of(*next);
        received.push_back({next->header, {items.begin(), items.end()}});
      }
      if (received.size() == before) return;
    }
  }
  /// Any bytes, as if they were frames.
  void worker_writes(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const iovec piece{const_cast<std::byte*>(bytes.data()), bytes.size()};
      bytes = bytes.subspan(transport->write({&piece, 1}));
    }
    transport->notify();
  }
  /// Shows a result among those that are open, and sends nothing.
  void worker_shows_result(chunk_id chunk, std::size_t size) {
    worker->begin_results(1, chunk, 0);
    const auto bytes = frames::pattern(size);
    std::ranges::copy(bytes, worker->open().space().begin());
    result_progress::store(worker->open().whole(), result_progress::pack(1, size));
  }
  void worker_ends() {
    worker.reset();
    shared_ = {};
    socket.reset();
  }

  /// What both see of their memory. Precondition: there is one.
  [[nodiscard]] const ring_pair& shared() const { return rings_.value(); }

  std::shared_ptr<simulation::event_loop> loop = std::make_shared<simulation::event_loop>(7);
  std::shared_ptr<link_user> parent = std::make_shared<link_user>();
  std::shared_ptr<buffer_memory> payload_memory;

  unique_descriptor socket;  // the worker's
  made_up_runtime runtime;
  worker_transport* transport = nullptr;
  std::unique_ptr<worker_link> worker;
  std::vector<link_user::message> received;

 private:
  // The offer stays where it is for the worker.
  void map_memory(std::size_t capacity) {
    link_offer offer;
    auto came = receive_with_descriptors(socket.get(), std::as_writable_bytes(std::span{&offer, 1}),
                                         MSG_PEEK);
    REQUIRE(came.descriptor_count == 1);
    shared_ =
        shared_memory::open(std::move(came.descriptors.front()), ring_pair::memory_for(capacity));
    shared_.close_descriptor();
    rings_.emplace(shared_.bytes(), capacity);
  }
  template <class Condition>
  bool run(runtime::time_point end, Condition condition) {
    // A loop that does not come to an end is a fault.
    for (int turns = 0; turns < 1'000'000; ++turns) {
      if (condition()) return true;
      loop->look_at_sockets();
      const auto next = loop->next();
      if (!next || *next > end) return false;
      loop->pass_until(*next);
      loop->run_next();
    }
    FAIL("the parent never has nothing to do");
    return false;
  }

  shared_memory shared_;
  std::optional<ring_pair> rings_;
  std::vector<shared_payload> payloads_;
};
