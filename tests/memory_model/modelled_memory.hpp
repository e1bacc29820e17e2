// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>

#include "relacy.hpp"

/// The memory that the threads of a scenario share. The library names words and bytes by their
/// addresses; here each of them has a variable of Relacy's.
namespace memory_model {

/// A word, or a byte that is read while it may be written. A load may see any value that C++
/// allows.
using cell = rl::atomic<std::uint64_t>;
/// A byte that only one thread may touch at a time: all else is a race, which fails the scenario.
using plain = rl::var<unsigned>;

class memory {
 public:
  static memory& instance() {
    static memory the_only;
    return the_only;
  }

  void clear() noexcept { words_count_ = bytes_count_ = 0; }
  void add(const void* place, cell& variable, std::uint64_t value = 0) {
    variable.store(value, rl::mo_relaxed, RL_INFO);
    words_.at(words_count_++) = {.place = place, .variable = &variable};
  }
  void add(const std::byte* begin, std::span<plain> variables) {
    for (plain& each : variables) each(RL_INFO) = 0;
    bytes_.at(bytes_count_++) = {.begin = begin, .variables = variables};
  }

  [[nodiscard]] cell& word(const void* place) const {
    for (const known_word& each : std::span{words_}.first(words_count_)) {
      if (each.place == place) return *each.variable;
    }
    throw std::logic_error{"the scenario does not know a word that is shared"};
  }
  [[nodiscard]] std::span<plain> bytes(const std::byte* begin, std::size_t count) const {
    for (const known_bytes& each : std::span{bytes_}.first(bytes_count_)) {
      const auto distance = static_cast<std::size_t>(begin - each.begin);
      if (distance < each.variables.size()) return each.variables.subspan(distance, count);
    }
    throw std::logic_error{"the scenario does not know bytes that are shared"};
  }

 private:
  struct known_word {
    const void* place;
    cell* variable;
  };
  struct known_bytes {
    const std::byte* begin;
    std::span<plain> variables;
  };

  memory() = default;

  // No memory from the heap, where Relacy counts what a scenario leaves behind.
  std::array<known_word, 16> words_{};
  std::array<known_bytes, 4> bytes_{};
  std::size_t words_count_ = 0;
  std::size_t bytes_count_ = 0;
};

/// How long the thread 0 of a scenario lives. It ends like a process that is killed: between any
/// two steps, where a step is what changes something. From then on it changes nothing, though its
/// code goes on to where the scenario asks `ended`.
class life {
 public:
  static life& instance() {
    static life the_only;
    return the_only;
  }

  void endless() noexcept { mortal_ = false; }
  void at_most(unsigned steps) {
    mortal_ = true;
    left_ = rl::rand(steps);
  }

  /// Whether the step is taken.
  [[nodiscard]] bool step() {
    if (!mortal_ || rl::thread_index() != 0) return true;
    if (left_ == 0) return false;
    --left_;
    return true;
  }
  [[nodiscard]] bool ended() const noexcept { return mortal_ && left_ == 0; }

 private:
  life() = default;

  bool mortal_ = false;
  unsigned left_ = 0;
};

/// The first member of each scenario, which begins with other memory than the one before.
struct scene {
  scene() {
    memory::instance().clear();
    life::instance().endless();
  }
};

inline rl::memory_order order(std::memory_order of) {
  switch (of) {
    case std::memory_order_relaxed:
      return rl::mo_relaxed;
    case std::memory_order_consume:
    case std::memory_order_acquire:
      return rl::mo_acquire;
    case std::memory_order_release:
      return rl::mo_release;
    case std::memory_order_acq_rel:
      return rl::mo_acq_rel;
    case std::memory_order_seq_cst:
      break;
  }
  return rl::mo_seq_cst;
}

}  // namespace memory_model
