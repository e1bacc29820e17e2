// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <utility>

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
  /// Each variable stands for so many bytes, which are read and written together.
  void add(const std::byte* begin, std::span<plain> variables, std::size_t together = 1) {
    for (plain& each : variables) each(RL_INFO) = 0;
    bytes_.at(bytes_count_++) = {.begin = begin, .variables = variables, .together = together};
  }

  [[nodiscard]] cell& word(const void* place) const {
    for (const known_word& each : std::span{words_}.first(words_count_)) {
      if (each.place == place) return *each.variable;
    }
    throw std::logic_error{"the scenario does not know a word that is shared"};
  }
  /// Calls `touch(variable, index)` for the bytes from `begin` on, with the index of the first that
  /// the variable stands for.
  template <class Touch>
  void each_of(const std::byte* begin, std::size_t count, Touch touch) const {
    for (const known_bytes& each : std::span{bytes_}.first(bytes_count_)) {
      const auto distance = static_cast<std::size_t>(begin - each.begin);
      if (distance >= each.variables.size() * each.together) continue;
      for (std::size_t index = 0; index < count; index += each.together) {
        touch(each.variables[(distance + index) / each.together], index);
      }
      return;
    }
    if (count > 0) throw std::logic_error{"the scenario does not know bytes that are shared"};
  }

 private:
  struct known_word {
    const void* place;
    cell* variable;
  };
  struct known_bytes {
    const std::byte* begin;
    std::span<plain> variables;
    std::size_t together;
  };

  memory() = default;

  // No memory from the heap, where Relacy counts what a scenario leaves behind.
  std::array<known_word, 16> words_{};
  std::array<known_bytes, 4> bytes_{};
  std::size_t words_count_ = 0;
  std::size_t bytes_count_ = 0;
};

constexpr bool acquires(std::memory_order how) {
  return how != std::memory_order_relaxed && how != std::memory_order_release;
}
constexpr bool releases(std::memory_order how) {
  return how == std::memory_order_release || how == std::memory_order_acq_rel ||
         how == std::memory_order_seq_cst;
}

/// How long the thread 0 of a scenario lives. It ends like a process that is killed: between any
/// two steps, where a step is what changes something. From then on it changes nothing, though its
/// code goes on to where the scenario asks `ended`.
///
/// But the compiler may have moved a step before the last ones: one that does not release, with
/// none in between that acquires.
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
    may_be_early_ = true;
  }

  /// Whether the step is taken.
  [[nodiscard]] bool step(std::memory_order how) {
    if (!mortal_ || rl::thread_index() != 0) return true;
    if (left_ > 0) {
      --left_;
      return true;
    }
    const bool is_early = may_be_early_ && !releases(how) && rl::rand(2) == 0;
    may_be_early_ = may_be_early_ && !acquires(how);
    return is_early;
  }
  [[nodiscard]] bool ended() const noexcept { return mortal_ && left_ == 0; }

 private:
  life() = default;

  bool mortal_ = false;
  unsigned left_ = 0;
  bool may_be_early_ = false;
};

/// What a processor may do in another order than the program says, and Relacy never does: to load
/// after what follows, and to store before what comes first.
class reordering {
 public:
  static reordering& instance() {
    static reordering the_only;
    return the_only;
  }

  void clear() noexcept {
    soon_ = {};
    loads_ = 0;
  }

  /// This thread stores the value soon: what does not acquire may come after that.
  void stores_soon(cell& variable, std::uint64_t value) {
    soon_ = {.thread = rl::thread_index(), .variable = &variable, .value = value};
  }
  void before_exchange(std::memory_order how) {
    if (soon_.variable == nullptr || soon_.thread != rl::thread_index()) return;
    const pending_store store = std::exchange(soon_, {});
    if (!acquires(how) && rl::rand(2) == 0) {
      store.variable->store(store.value, rl::mo_relaxed, RL_INFO);
    }
  }

  /// The parent has just loaded the byte: it may do so only after what does not release.
  void has_loaded(const cell& variable, std::byte* to) {
    late_.at(loads_++) = {.variable = &variable, .to = to};
  }
  void after_addition(std::memory_order how) {
    const auto late = std::span{late_}.first(std::exchange(loads_, 0));
    if (releases(how)) return;
    for (const pending_load& each : late) {
      if (rl::rand(2) != 0) continue;
      *each.to = static_cast<std::byte>(each.variable->load(rl::mo_relaxed, RL_INFO));
    }
  }

 private:
  struct pending_store {
    unsigned thread = 0;
    cell* variable = nullptr;
    std::uint64_t value = 0;
  };
  struct pending_load {
    const cell* variable;
    std::byte* to;
  };

  reordering() = default;

  pending_store soon_;
  std::array<pending_load, 4> late_{};
  std::size_t loads_ = 0;
};

/// The first member of each scenario, which begins with other memory than the one before.
struct scene {
  scene() {
    memory::instance().clear();
    life::instance().endless();
    reordering::instance().clear();
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
