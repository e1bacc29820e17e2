// SPDX-License-Identifier: BSL-1.0

// The code of both sides of a link that runs without locks, in orders that this machine may never show, but
// that the memory model of C++ allows: Relacy (`relacy-dev`) chooses each step, and each value that a load
// may see.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <span>

#include <coterie/detail/byte_buffer.hpp>
#include <coterie/detail/result_progress.hpp>

#include "channel/byte_ring.hpp"
#include "channel/claims.hpp"
#include "channel/open_results.hpp"
#include "channel/shared_word.hpp"

namespace {

using namespace coterie::detail;
using memory_model::cell;
using memory_model::cells;

void require(bool holds) { RL_ASSERT(holds); }

/// A ring of two bytes, and for each of them a variable that must not be touched by both sides at once.
template <class Derived>
struct ring_suite : rl::test_suite<Derived, 2> {
  static constexpr std::size_t capacity = 2;

  ring_suite() {
    cells::all().clear();
    byte_ring::control_words& words = byte_ring{memory}.words();
    std::uint64_t* const places[] = {&words.head, &words.tail, &words.reader_sleeps,
                                     &words.writer_waits};
    for (std::size_t at = 0; at < shared.size(); ++at) cells::all().add(places[at], shared[at]);
  }

  void write(ring_writer& writer, std::size_t most) {
    std::array<std::byte, capacity> bytes{};
    const std::size_t count = std::min(most, writer.free());
    for (std::size_t each = 0; each < count; ++each) {
      content[written % capacity](RL_INFO) = static_cast<int>(written);
      ++written;
    }
    require(writer.write(std::span{bytes}.first(count)) == count);
  }
  void read(ring_reader& reader, std::size_t most) {
    std::array<std::byte, capacity> bytes{};
    const std::size_t count = std::min(most, reader.readable());
    for (std::size_t each = 0; each < count; ++each) {
      require(content[taken % capacity](RL_INFO) == static_cast<int>(taken));
      ++taken;
    }
    require(reader.read(std::span{bytes}.first(count)) == count);
  }

  // Nothing but a place: what would be in it is in the cells.
  alignas(64) static inline std::array<std::byte, byte_ring::memory_for(capacity)> memory{};
  std::array<cell, 4> shared;
  std::array<rl::var<int>, capacity> content;
  // Each of them is of one side, and looked at when both have ended.
  std::size_t written = 0;
  std::size_t taken = 0;
  bool sleeps = false;
  bool rung = false;
};

/// The reader sleeps when it finds nothing; the writer wakes it.
struct reader_is_woken : ring_suite<reader_is_woken> {
  void thread(unsigned index) {
    if (index == 0) {
      ring_writer writer{byte_ring{memory}};
      for (int message = 0; message < 2; ++message) {
        write(writer, 1);
        if (writer.must_wake_reader()) rung = true;
      }
    } else {
      ring_reader reader{byte_ring{memory}};
      for (int turn = 0; turn < 3 && !sleeps && taken < 2; ++turn) {
        const std::size_t before = taken;
        read(reader, 1);
        if (taken > before) continue;
        rung = false;
        sleeps = reader.prepare_sleep();
      }
    }
  }
  void after() { require(!sleeps || rung || taken == written); }
};

/// The writer waits when the ring is full, for so many bytes of room; the reader wakes it.
template <std::size_t wish>
struct writer_is_woken : ring_suite<writer_is_woken<wish>> {
  using ring_suite<writer_is_woken>::capacity;
  using ring_suite<writer_is_woken>::memory;
  using ring_suite<writer_is_woken>::written;
  using ring_suite<writer_is_woken>::taken;
  using ring_suite<writer_is_woken>::sleeps;
  using ring_suite<writer_is_woken>::rung;

  void thread(unsigned index) {
    if (index == 0) {
      ring_writer writer{byte_ring{memory}};
      for (int turn = 0; turn < 4 && !sleeps && written < 3; ++turn) {
        this->write(writer, capacity);
        if (written >= 3) break;
        rung = false;
        sleeps = writer.prepare_wait(wish);
      }
    } else {
      ring_reader reader{byte_ring{memory}};
      for (int turn = 0; turn < 3; ++turn) {
        const std::size_t before = taken;
        this->read(reader, 1);
        if (taken > before && reader.must_wake_writer()) rung = true;
      }
    }
  }
  void after() { require(!sleeps || rung || capacity - (written - taken) < wish); }
};

/// The results that a worker has, of one byte each.
template <class Derived>
struct results_suite : rl::test_suite<Derived, 2> {
  static constexpr std::size_t words = 5;

  results_suite() {
    cells::all().clear();
    for (std::size_t word = 0; word < words; ++word) {
      cells::all().add(memory.data() + word * sizeof(std::uint64_t), shared[word]);
    }
    cells::all().add(results().space().data(), content);
  }

  open_results results() { return open_results{memory}; }

  void encode(std::uint64_t sent) {
    results().begin(sent, 1, 10 + sent, 0);
    content.store(10 + sent, rl::mo_relaxed, RL_INFO);
    shared_word{results().whole()}.store(result_progress::pack(1, 1), std::memory_order_release);
  }
  void look(std::uint64_t received) {
    byte_buffer copy;
    const auto found = results().read(received, copy);
    if (!found) return;
    require(found->header.chunk == 10 + received);
    require(found->payload[0] == static_cast<std::byte>(10 + received));
  }

  alignas(64) static inline std::array<std::byte, open_results::memory_for(1)> memory{};
  std::array<cell, words> shared;
  cell content;
};

/// A worker that encodes, sends and goes on; a parent that looks.
struct results_are_whose_they_say : results_suite<results_are_whose_they_say> {
  void thread(unsigned index) {
    if (index == 0) {
      encode(0);
      encode(1);
    } else {
      look(0);
      look(1);
    }
  }
};

/// The worker writes over results that it has sent, while the parent copies them.
struct results_are_not_of_two : results_suite<results_are_not_of_two> {
  void before() { encode(0); }
  void thread(unsigned index) {
    if (index == 0) {
      encode(1);
    } else {
      look(0);
    }
  }
};

/// A worker that claims items, so many of which are one worker's as a whole, and a parent that takes back
/// what is not claimed.
template <std::size_t unit>
struct each_item_is_one_sides : rl::test_suite<each_item_is_one_sides<unit>, 2> {
  static constexpr std::size_t items = 3;

  each_item_is_one_sides() {
    cells::all().clear();
    cells::all().add(memory.data(), shared);
    for (chunk_id chunk = 1; chunk <= 2; ++chunk) parent.sent(chunk, 0, items);
  }

  void thread(unsigned index) {
    if (index == 0) {
      claimer worker{claims{memory}};
      for (std::size_t& run : run_of) {
        if (!worker.begin(0)) continue;
        while (run < items && worker.claim_up_to(run + 1, unit)) ++run;
      }
    } else if (const auto left = parent.take_back(1, unit)) {
      for (const chunk_id each : left->revoked) kept_of[each - 1] = 0;
      if (left->begun != 0) kept_of[left->begun - 1] = left->kept;
    }
  }
  void after() { require(run_of == kept_of); }

  alignas(64) static inline std::array<std::byte, claims::memory_size> memory{};
  cell shared;
  revoker parent{claims{memory}};
  // Of each chunk.
  std::array<std::size_t, 2> run_of{};
  std::array<std::size_t, 2> kept_of{items, items};
};

/// Says nothing of what goes right.
template <class Suite>
bool holds(const char* what) {
  rl::test_params how;
  how.iteration_count = 100'000;
  std::ofstream nowhere{"/dev/null"};
  how.output_stream = how.progress_stream = &nowhere;
  const bool right = rl::simulate<Suite>(how);
  std::cout << (right ? "ok: " : "BROKEN: ") << what
            << std::endl;  // NOLINT: the rest may break off
  if (right) return true;
  how.output_stream = &std::cout;
  return rl::simulate<Suite>(how);
}

}  // namespace

int main() {
  bool all = true;
  all &= holds<reader_is_woken>(
      "given a reader that sleeps, when something is written, then it is woken");
  all &=
      holds<writer_is_woken<1>>("given a writer that waits, when there is room, then it is woken");
  all &= holds<writer_is_woken<2>>(
      "given a writer that waits for much room, when there is as much, then it is woken");
  all &= holds<results_are_whose_they_say>(
      "given results that come and go, when they are looked at, then "
      "they are of who they say");
  all &= holds<results_are_not_of_two>(
      "given results that are copied, when others are written over them, then that is noticed");
  all &= holds<each_item_is_one_sides<1>>(
      "given both sides at once, when items are claimed and taken back, then each is one side's");
  all &= holds<each_item_is_one_sides<2>>(
      "given items that stay together, when they are claimed and taken back, then each is one side's");
  return all ? EXIT_SUCCESS : EXIT_FAILURE;
}
