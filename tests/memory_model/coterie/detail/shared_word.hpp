// SPDX-License-Identifier: BSL-1.0
#pragma once

// In the place of include/coterie/detail/shared_word.hpp: words whose every step Relacy decides, as
// any machine that keeps to the memory model of C++ may.

#include <atomic>
#include <cstdint>

#include "modelled_memory.hpp"

namespace coterie::detail {

// No order has a default: what leaves it out does not compile.
class shared_word {
 public:
  explicit shared_word(const std::uint64_t& place)
      : cell_{memory_model::memory::instance().word(&place)} {}

  std::uint64_t load(std::memory_order how) const {
    return cell_.load(memory_model::order(how), RL_INFO);
  }
  void store(std::uint64_t value, std::memory_order how) const {
    if (steps(how)) cell_.store(value, memory_model::order(how), RL_INFO);
  }
  std::uint64_t exchange(std::uint64_t value, std::memory_order how) const {
    if (!steps(how)) return load(std::memory_order_relaxed);
    memory_model::reordering::instance().before_exchange(how);
    return cell_(RL_INFO).exchange(value, memory_model::order(how));
  }
  std::uint64_t fetch_add(std::uint64_t value, std::memory_order how) const {
    if (!steps(how)) return load(std::memory_order_relaxed);
    const std::uint64_t before = cell_(RL_INFO).fetch_add(value, memory_model::order(how));
    memory_model::reordering::instance().after_addition(how);
    return before;
  }
  bool compare_exchange_weak(std::uint64_t& seen, std::uint64_t value,
                             std::memory_order how) const {
    return !steps(how) ||
           cell_(RL_INFO).compare_exchange_weak(seen, value, memory_model::order(how));
  }
  bool compare_exchange_strong(std::uint64_t& seen, std::uint64_t value,
                               std::memory_order how) const {
    return !steps(how) ||
           cell_(RL_INFO).compare_exchange_strong(seen, value, memory_model::order(how));
  }

 private:
  static bool steps(std::memory_order how) { return memory_model::life::instance().step(how); }

  memory_model::cell& cell_;
};

}  // namespace coterie::detail
