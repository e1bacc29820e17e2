// SPDX-License-Identifier: BSL-1.0

// Two ends of a channel, with a ring each way and one socket on which each is woken for either: the
// worker's own, which also naps on a word, and a parent's that receives bells when it has waited.

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <stdexcept>

#include <coterie/detail/shared_word.hpp>

#include "channel/doorbell.hpp"
#include "channel/ring_channel.hpp"
#include "channel/ring_pair.hpp"
#include "doorbell.hpp"
#include "modelled_memory.hpp"
#include "modelled_ring.hpp"
#include "scenario.hpp"
#include "system/descriptor_channel.hpp"
#include "system/futex.hpp"
#include "worker/worker_ring.hpp"
#include "worker/worker_runtime.hpp"

namespace memory_model {

namespace {

/// A word on which one side sleeps in the kernel, which sees the last value of a word.
class napping_place {
 public:
  [[nodiscard]] bool sleep(const std::uint64_t& word, std::uint64_t value) {
    // The kernel forgets to wake what does not sleep yet.
    woken_.take();
    const shared_word slept_on{word};
    if (slept_on.fetch_add(0, std::memory_order_relaxed) == value) woken_.wait();
    return true;
  }
  void wake() { woken_.ring(); }

 private:
  using shared_word = coterie::detail::shared_word;
  doorbell woken_;
};

/// The two ends of the socket, and where the worker naps.
struct socket_pair {
  static constexpr int of_worker = 1'000'000;
  static constexpr int of_parent = 1'000'001;

  [[nodiscard]] doorbell& received_on(int end) {
    return end == of_worker ? for_worker : for_parent;
  }
  [[nodiscard]] doorbell& sent_on(int end) { return end == of_worker ? for_parent : for_worker; }

  doorbell for_worker;
  doorbell for_parent;
  napping_place nap;
};

socket_pair* the_sockets = nullptr;

}  // namespace

}  // namespace memory_model

// ---- what the library calls -------------------------------------------------------------------

// In the place of the system's: nothing but doorbells is sent.
extern "C" ssize_t send(int socket, const void*, std::size_t count, int) {
  memory_model::the_sockets->sent_on(socket).ring();
  return static_cast<ssize_t>(count);
}

namespace coterie::detail {

channel_received receive_with_descriptors(int socket, std::span<std::byte> to, int) noexcept {
  channel_received came;
  const bool there = memory_model::the_sockets->received_on(socket).take();
  came.outcome = there ? channel_outcome::moved : channel_outcome::would_block;
  came.count = there ? 1 : 0;
  if (there) to.front() = doorbell;
  return came;
}
channel_sent send_with_descriptor(int, std::span<const std::byte>, int, int) noexcept {
  std::abort();
}

void wake_word(const std::uint64_t&) noexcept { memory_model::the_sockets->nap.wake(); }

unique_descriptor worker_transport::take_descriptor() { std::abort(); }
void leave_without_parent(worker_runtime&) { std::abort(); }
void leave_without_link(worker_runtime&) { std::abort(); }

}  // namespace coterie::detail

// ---- the scenarios ----------------------------------------------------------------------------

namespace memory_model {

namespace {

using namespace coterie::detail;

/// Does nothing but to wait.
class modelled_runtime final : public worker_runtime {
 public:
  [[nodiscard]] time_point now() override { std::abort(); }
  void wait_for_input(int) override { the_sockets->for_worker.wait_for_input(); }
  void wait_for_output(int) override { std::abort(); }
  bool wait_on_word(const std::uint64_t& word, std::uint64_t value,
                    std::chrono::nanoseconds) override {
    // Some naps end before anything comes.
    return rl::rand(4) != 0 && the_sockets->nap.sleep(word, value);
  }
  void yield() override { std::abort(); }
  [[nodiscard]] bool has_threads() const override { return false; }
  void require_running() override {}

 private:
  void do_exit(int) override { std::abort(); }
  void do_exit_at_once(int) override { std::abort(); }
};

/// The shortest rings that lie in a row. Bytes move in halves of one.
constexpr std::size_t capacity = 64;
constexpr std::size_t half = capacity / 2;

/// The worker answers each half with one. The parent sends more than fits, and never waits for room
/// without reading.
struct all_is_answered : rl::test_suite<all_is_answered, 2> {
  static constexpr std::size_t bytes = 4 * half;

  all_is_answered() { the_sockets = &sockets; }

  void thread(unsigned index) {
    if (index == 0) {
      answer_all();
    } else {
      ask_all();
    }
  }

  // ---- the worker ----

  void answer_all() {
    worker_ring link{socket_pair::of_worker, shared_memory{place}, capacity,
                     std::chrono::nanoseconds::zero(), runtime};
    std::array<std::byte, half> some{};
    for (std::size_t answered = 0; answered < bytes; answered += half) {
      require(link.read(some, true) == half);
      require(some[0] == value_of(answered));
      for (std::size_t written = 0; written < half;) {
        const iovec rest{.iov_base = some.data() + written, .iov_len = half - written};
        written += link.write({&rest, 1});
      }
      // It tells of several answers at once while more has come.
      if (rl::rand(2) == 0 || !link.input_waits()) link.notify();
    }
    link.notify();
  }

  // ---- the parent, which receives bells when it has waited ----

  void ask_all() {
    write();
    while (received < bytes) {
      take_in();
      if (received == bytes) break;
      if (parent.prepare_sleep()) {
        sockets.for_parent.wait_for_input();
        require(parent.receive() == ring_channel::arrival::bells);
      }
      parent.stop_sleeping();
      if (!waits_for_room) continue;
      waits_for_room = false;
      parent.stop_waiting();
      write();
    }
  }
  void take_in() {
    std::array<std::byte, half> some{};
    while (parent.read(some) > 0) {
      require(some[0] == value_of(received));
      received += half;
    }
  }
  void write() {
    while (sent < bytes) {
      std::array<std::byte, half> some{};
      some[0] = value_of(sent);
      const iovec all{.iov_base = some.data(), .iov_len = half};
      const std::size_t count = parent.write({&all, 1});
      sent += count;
      if (count > 0) continue;
      if (parent.prepare_wait(half)) {
        waits_for_room = true;
        return;
      }
    }
    parent.notify();
  }

  static std::byte value_of(std::size_t index) { return static_cast<std::byte>(index / half + 1); }

  alignas(64) static inline std::array<std::byte, ring_pair::memory_for(capacity)> place{};

  scene fresh;
  ring_variables<2> to_worker{ring_pair{place, capacity}.to_worker};
  ring_variables<2> to_parent{ring_pair{place, capacity}.to_parent};
  socket_pair sockets;
  modelled_runtime runtime;
  // The parent's.
  ring_channel parent{socket_pair::of_parent, ring_pair{place, capacity}.to_parent,
                      ring_pair{place, capacity}.to_worker};
  std::size_t sent = 0;
  std::size_t received = 0;
  bool waits_for_room = false;
};

}  // namespace

std::vector<scenario> worker_scenarios() {
  return {
      random<all_is_answered>(
          "given two sides that sleep, when messages go both ways, then all are answered"),
  };
}

}  // namespace memory_model
