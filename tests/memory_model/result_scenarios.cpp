// SPDX-License-Identifier: BSL-1.0

// Results that a worker publishes before it sends them: its parent gets each once, from the shared
// memory or from the ring, even if the worker ends between any two of its steps.

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <coterie/detail/byte_buffer.hpp>
#include <coterie/detail/result_progress.hpp>

#include "channel/open_results.hpp"
#include "channel/shared_bytes.hpp"
#include "doorbell.hpp"
#include "modelled_memory.hpp"
#include "modelled_ring.hpp"
#include "scenario.hpp"

namespace memory_model {

namespace {

using namespace coterie::detail;

/// Of one byte each.
constexpr std::size_t most_results = 2;

/// The words of the results, and whatever the bytes are.
template <class Byte>
class modelled_results {
 public:
  modelled_results() {
    memory& all = memory::instance();
    for (std::size_t word = 0; word < words_.size(); ++word) {
      all.add(place_.data() + word * sizeof(std::uint64_t), words_[word]);
    }
    if constexpr (std::is_same_v<Byte, plain>) {
      all.add(results().space().data(), bytes_);
    } else {
      for (std::size_t each = 0; each < bytes_.size(); ++each) {
        all.add(&results().space()[each], bytes_[each]);
      }
    }
  }

  [[nodiscard]] open_results results() const { return open_results{place_}; }
  [[nodiscard]] Byte& byte(std::size_t index) { return bytes_[index]; }

 private:
  alignas(64) static inline std::array<std::byte, open_results::memory_for(most_results)> place_{};

  std::array<cell, 5> words_;
  std::array<Byte, most_results> bytes_;
};

constexpr chunk_id chunk_of(std::uint64_t frame) { return 10 + frame; }
constexpr std::uint64_t first_of(std::uint64_t frame) { return 3 * frame; }
constexpr std::byte value_of(std::uint64_t frame, std::size_t result) {
  return static_cast<std::byte>(100 + 10 * frame + result);
}

constexpr std::uint64_t byte_of(std::uint64_t frame, std::size_t result) {
  return static_cast<std::uint64_t>(value_of(frame, result));
}

template <class Derived>
struct results_suite : rl::test_suite<Derived, 2> {
  void begin(std::uint64_t frame) {
    reordering::instance().stores_soon(shared.byte(0), byte_of(frame, 0));
    shared.results().begin(frame, 1, chunk_of(frame), first_of(frame));
  }
  void encode(std::uint64_t frame, std::size_t result) {
    if (!life::instance().step(std::memory_order_relaxed)) return;
    shared.byte(result).store(byte_of(frame, result), rl::mo_relaxed, RL_INFO);
  }
  /// One result that replaces those before.
  void publish(std::uint64_t frame) {
    begin(frame);
    encode(frame, 0);
    result_progress{shared.results().whole(), 0, 0}.add(1);
  }

  /// Whether the results are of that frame, from `seen` on.
  static void check(const frame& found, std::uint64_t frame, std::size_t seen) {
    const auto results = found.header.as<message::values>();
    require(results.chunk == chunk_of(frame));
    require(results.first == first_of(frame) + seen);
    require(results.count == found.payload.size());
    for (const std::byte each : found.payload) require(each == value_of(frame, seen++));
  }
  void look(std::uint64_t received) {
    byte_buffer copy;
    const auto found = shared.results().read(received, copy);
    if (found) check(*found, received, 0);
  }

  scene fresh;
  modelled_results<cell> shared;
};

/// A worker that encodes, sends and goes on; a parent that looks.
struct results_are_of_one_frame : results_suite<results_are_of_one_frame> {
  void thread(unsigned index) {
    if (index == 0) {
      publish(0);
      publish(1);
    } else {
      look(0);
      look(1);
    }
  }
};

/// The worker writes over results that it has sent, while the parent copies them.
struct results_are_not_of_two : results_suite<results_are_not_of_two> {
  void before() { publish(0); }
  void thread(unsigned index) {
    if (index == 0) {
      publish(1);
    } else {
      look(0);
    }
  }
};

/// Frames go through a ring: a byte that says how many results, then those.
struct each_result_comes_once : results_suite<each_result_comes_once> {
  static constexpr std::uint64_t frames = 3;
  static constexpr std::size_t capacity = 4;

  each_result_comes_once() { life::instance().at_most(70); }

  void thread(unsigned index) {
    if (index == 0) {
      work();
      end.ring();
    } else {
      for (int turn = 0; turn < 4; ++turn) {
        receive();
        if (rl::rand(2) == 0) look();
      }
      end.wait();
      receive();
      look();
      require(delivered == published);
    }
  }

  // ---- the worker ----

  void work() {
    ring_writer out{ring.ring()};
    for (std::uint64_t frame = 0; frame < frames; ++frame) {
      begin(frame);
      if (life::instance().ended()) return;
      result_progress progress{shared.results().whole(), 0, 0};
      std::array<std::byte, 1 + most_results> bytes{};
      const std::size_t count = 1 + rl::rand(most_results);
      for (std::size_t each = 0; each < count; ++each) {
        encode(frame, each);
        if (life::instance().ended()) return;
        progress.add(1);
        ++published;
        bytes[1 + each] = value_of(frame, each);
      }
      bytes[0] = static_cast<std::byte>(count);
      if (!send(out, std::span{bytes}.first(1 + count))) return;
    }
  }
  // Gives up after a while, and so ends.
  static bool send(ring_writer& out, std::span<const std::byte> bytes) {
    for (int tries = 0; tries < 4; ++tries) {
      bytes = bytes.subspan(out.write(bytes));
      if (bytes.empty()) return true;
    }
    return false;
  }

  // ---- the parent ----

  void receive() {
    while (in.read(std::span{arrived}.subspan(arrived_count, 1)) > 0) {
      ++arrived_count;
      const auto count = static_cast<std::size_t>(arrived[0]);
      if (arrived_count < 1 + count) continue;
      arrived_count = 0;
      const message::values results{.job = 1,
                                    .chunk = chunk_of(received),
                                    .first = static_cast<std::uint32_t>(first_of(received)),
                                    .count = static_cast<std::uint32_t>(count),
                                    .claimed = 0};
      frame one{.header = frame_header::of(results),
                .payload = std::span{arrived}.subspan(1, count)};
      one.header.length = count;
      if (reader.take(one)) deliver(one);
      ++received;
      seen = 0;
    }
  }
  void look() {
    if (const auto found = reader.check()) deliver(*found);
  }
  void deliver(const frame& found) {
    check(found, received, seen);
    seen += found.payload.size();
    delivered += found.payload.size();
  }

  modelled_ring<capacity> ring;
  doorbell end;
  ring_reader in{ring.ring()};
  open_results_reader reader{shared.results()};
  std::array<std::byte, 1 + most_results> arrived{};
  std::size_t arrived_count = 0;
  std::uint64_t received = 0;  // frames
  std::size_t seen = 0;        // results of the next one
  std::size_t delivered = 0;
  std::size_t published = 0;  // by the worker
};

/// A worker that shares no memory with its parent: a thread of its own reads the results and sends
/// them, while it holds a lock under which the results change hands (`result_teller`).
struct results_are_told_by_a_thread : rl::test_suite<results_are_told_by_a_thread, 2> {
  results_are_told_by_a_thread() { lock.init(false, false, false, false, RL_INFO); }
  ~results_are_told_by_a_thread() { lock.deinit(RL_INFO); }

  void thread(unsigned index) {
    if (index == 0) {
      for (std::uint64_t frame = 0; frame < 2; ++frame) work(frame);
    } else {
      for (int turn = 0; turn < 3; ++turn) tell();
    }
  }
  void work(std::uint64_t frame) {
    lock.lock(RL_INFO);
    shared.results().begin(frame, 1, chunk_of(frame), first_of(frame));
    open = true;
    sent = frame;
    told = 0;
    lock.unlock(RL_INFO);
    result_progress progress{shared.results().whole(), 0, 0};
    for (std::size_t each = 0; each < most_results; ++each) {
      const std::byte value = value_of(frame, each);
      write_shared(&shared.results().space()[each], &value, 1);
      progress.add(1);
    }
    lock.lock(RL_INFO);
    open = false;
    lock.unlock(RL_INFO);
  }
  void tell() {
    lock.lock(RL_INFO);
    if (open) {
      const auto whole = result_progress::load(shared.results().whole());
      for (; told < result_progress::count_in(whole); ++told) {
        std::byte value{};
        read_shared(&value, &shared.results().space()[told], 1);
        require(value == value_of(sent, told));
      }
    }
    lock.unlock(RL_INFO);
  }

  scene fresh;
  modelled_results<plain> shared;
  rl::generic_mutex<results_are_told_by_a_thread> lock;
  // Under the lock.
  bool open = false;
  std::uint64_t sent = 0;
  std::size_t told = 0;
};

}  // namespace

std::vector<scenario> result_scenarios() {
  return {
      random<results_are_of_one_frame>(
          "given results that come and go, when the parent looks, then they are of one frame"),
      random<results_are_not_of_two>(
          "given results that are copied, when others are written over them, then that is noticed"),
      random<each_result_comes_once>(
          "given a worker that ends at any point, when its results are gathered, then each comes "
          "once"),
      random<results_are_told_by_a_thread>(
          "given a thread that sends results, when more are encoded, then it reads whole ones"),
  };
}

}  // namespace memory_model
