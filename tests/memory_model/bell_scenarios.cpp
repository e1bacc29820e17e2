// SPDX-License-Identifier: BSL-1.0

// How the two sides of a ring wake each other. A wake-up that is lost is a deadlock.

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

#include "channel/byte_ring.hpp"
#include "doorbell.hpp"
#include "modelled_memory.hpp"
#include "modelled_ring.hpp"
#include "scenario.hpp"

namespace memory_model {

namespace {

using namespace coterie::detail;

constexpr std::size_t capacity = 2;

/// A worker takes what has been rung before it announces that it sleeps; its parent takes it
/// afterwards.
enum class process : bool { parent, worker };

/// One side writes more than fits, the other reads it all; each sleeps when it can do nothing.
template <std::size_t wish, process writing>
struct each_side_is_woken : rl::test_suite<each_side_is_woken<wish, writing>, 2> {
  static constexpr std::size_t bytes = 5;

  void thread(unsigned index) {
    if (index == 0) {
      write_all();
    } else {
      read_all();
    }
  }

  void write_all() {
    const std::array<std::byte, bytes> all{};
    ring_writer writer{shared.ring()};
    std::size_t written = 0;
    for (;;) {
      written += writer.write(std::span{all}.subspan(written));
      if (writer.must_wake_reader()) for_reader.ring();
      if (written == bytes) return;
      if (writing == process::worker) for_writer.take();
      if (writer.prepare_wait(wish)) for_writer.wait();
      writer.stop_waiting();
    }
  }
  void read_all() {
    std::array<std::byte, capacity> some{};
    ring_reader reader{shared.ring()};
    std::size_t taken = 0;
    while (taken < bytes) {
      const std::size_t count = reader.read(std::span{some}.first(1 + rl::rand(capacity)));
      taken += count;
      if (count > 0) {
        if (reader.must_wake_writer()) for_writer.ring();
        continue;
      }
      if (writing == process::parent) for_reader.take();
      if (reader.prepare_sleep()) for_reader.wait();
      reader.stop_sleeping();
    }
  }

  scene fresh;
  modelled_ring<capacity> shared;
  doorbell for_writer;
  doorbell for_reader;
};

/// The same for one message, in so few steps that all orders can be tried.
struct one_byte_wakes : rl::test_suite<one_byte_wakes, 2> {
  void thread(unsigned index) {
    if (index == 0) {
      ring_writer writer{shared.ring()};
      const std::byte one{};
      writer.write({&one, 1});
      if (writer.must_wake_reader()) for_reader.ring();
    } else {
      ring_reader reader{shared.ring()};
      std::byte one{};
      while (reader.read({&one, 1}) == 0) {
        if (reader.prepare_sleep()) for_reader.wait();
        reader.stop_sleeping();
      }
    }
  }

  scene fresh;
  modelled_ring<1> shared;
  doorbell for_reader;
};

/// A full ring, and a writer that waits until there is room again.
struct one_byte_of_room_wakes : rl::test_suite<one_byte_of_room_wakes, 2> {
  void thread(unsigned index) {
    if (index == 0) {
      ring_writer writer{shared.ring()};
      const std::byte one{};
      for (int written = 0; written < 2;) {
        if (writer.write({&one, 1}) > 0) {
          ++written;
          continue;
        }
        if (writer.prepare_wait(1)) for_writer.wait();
        writer.stop_waiting();
      }
    } else {
      ring_reader reader{shared.ring()};
      std::byte one{};
      while (reader.read({&one, 1}) == 0) rl::yield(1, RL_INFO);
      if (reader.must_wake_writer()) for_writer.ring();
    }
  }

  scene fresh;
  modelled_ring<1> shared;
  doorbell for_writer;
};

/// A writer that is woken for the first time finds the room that it has asked for.
struct room_is_as_much_as_was_wanted : rl::test_suite<room_is_as_much_as_was_wanted, 2> {
  static constexpr std::size_t wish = 2;

  void thread(unsigned index) {
    if (index == 0) {
      const std::array<std::byte, 2> some{};
      ring_writer writer{shared.ring()};
      writer.write(some);
      writer.write(some);
      if (writer.prepare_wait(wish)) {
        for_writer.wait();
        require(writer.free() >= wish);
      }
    } else {
      ring_reader reader{shared.ring()};
      std::byte one{};
      for (std::size_t taken = 0; taken < 4;) {
        if (reader.read({&one, 1}) == 0) {
          rl::yield(1, RL_INFO);
          continue;
        }
        ++taken;
        if (reader.must_wake_writer()) for_writer.ring();
      }
    }
  }

  scene fresh;
  modelled_ring<4> shared;
  doorbell for_writer;
};

}  // namespace

std::vector<scenario> bell_scenarios() {
  return {
      random<each_side_is_woken<1, process::parent>>(
          "given a parent that writes more than fits, when both sleep, then each is woken"),
      random<each_side_is_woken<2, process::parent>>(
          "given a parent that waits for much room, when both sleep, then each is woken"),
      random<each_side_is_woken<1, process::worker>>(
          "given a worker that writes more than fits, when both sleep, then each is woken"),
      random<each_side_is_woken<2, process::worker>>(
          "given a worker that waits for much room, when both sleep, then each is woken"),
      random<room_is_as_much_as_was_wanted>(
          "given a writer that waits for much room, when it is woken, then there is as much"),
      full<one_byte_wakes>(
          "given a reader that sleeps, when one byte is written, then it is woken"),
      full<one_byte_of_room_wakes>(
          "given a writer that waits, when one byte is taken, then it is woken"),
  };
}

}  // namespace memory_model
