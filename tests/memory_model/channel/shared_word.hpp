// SPDX-License-Identifier: BSL-1.0
#pragma once

// In the place of lib/channel/shared_word.hpp: words whose every step Relacy decides, as any machine that
// keeps to the memory model of C++ may.

#include <array>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <utility>

// Its macros take the names of the language and of the standard library.
#pragma push_macro("new")
#pragma push_macro("delete")
#pragma push_macro("malloc")
#pragma push_macro("calloc")
#pragma push_macro("realloc")
#pragma push_macro("free")
#pragma push_macro("assert")
#pragma push_macro("errno")
#pragma push_macro("memory_order_relaxed")
#pragma push_macro("memory_order_consume")
#pragma push_macro("memory_order_acquire")
#pragma push_macro("memory_order_release")
#pragma push_macro("memory_order_acq_rel")
#pragma push_macro("memory_order_seq_cst")
#include <relacy/relacy.hpp>
#pragma pop_macro("new")
#pragma pop_macro("delete")
#pragma pop_macro("malloc")
#pragma pop_macro("calloc")
#pragma pop_macro("realloc")
#pragma pop_macro("free")
#pragma pop_macro("assert")
#pragma pop_macro("errno")
#pragma pop_macro("memory_order_relaxed")
#pragma pop_macro("memory_order_consume")
#pragma pop_macro("memory_order_acquire")
#pragma pop_macro("memory_order_release")
#pragma pop_macro("memory_order_acq_rel")
#pragma pop_macro("memory_order_seq_cst")

#include <coterie/detail/byte_buffer.hpp>

/// The words and bytes of a test that are shared, by where the library believes them to be.
namespace memory_model {

using cell = rl::atomic<std::uint64_t>;

class cells {
 public:
  static cells& all() {
    static cells them;
    return them;
  }

  void clear() { count_ = 0; }
  void add(const void* place, cell& is) {
    is.store(0, rl::mo_relaxed, RL_INFO);
    known_.at(count_++) = {place, &is};
  }
  [[nodiscard]] cell& at(const void* place) const {
    for (const auto& [known, found] : std::span{known_}.first(count_)) {
      if (known == place) return *found;
    }
    throw std::logic_error{"a word is shared that the test does not know"};
  }

 private:
  // No memory that was allocated while Relacy counts what is.
  std::array<std::pair<const void*, cell*>, 16> known_;
  std::size_t count_ = 0;
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

namespace coterie::detail {

class shared_word {
 public:
  explicit shared_word(const std::uint64_t& place) : cell_{memory_model::cells::all().at(&place)} {}

  std::uint64_t load(std::memory_order how) const {
    return cell_.load(memory_model::order(how), RL_INFO);
  }
  void store(std::uint64_t value, std::memory_order how) const {
    cell_.store(value, memory_model::order(how), RL_INFO);
  }
  std::uint64_t exchange(std::uint64_t value, std::memory_order how) const {
    return cell_(RL_INFO).exchange(value, memory_model::order(how));
  }
  std::uint64_t fetch_add(std::uint64_t value, std::memory_order how) const {
    return cell_(RL_INFO).fetch_add(value, memory_model::order(how));
  }
  bool compare_exchange_weak(std::uint64_t& seen, std::uint64_t value,
                             std::memory_order how) const {
    return cell_(RL_INFO).compare_exchange_weak(seen, value, memory_model::order(how));
  }
  bool compare_exchange_strong(std::uint64_t& seen, std::uint64_t value,
                               std::memory_order how) const {
    return cell_(RL_INFO).compare_exchange_strong(seen, value, memory_model::order(how));
  }

 private:
  memory_model::cell& cell_;
};

// A processor may read such bytes in any order.
inline void append_shared(byte_buffer& to, std::span<const std::byte> from) {
  for (const std::byte& each : from) {
    const auto value =
        static_cast<std::byte>(memory_model::cells::all().at(&each).load(rl::mo_relaxed, RL_INFO));
    to.append(&value, 1);
  }
}

}  // namespace coterie::detail
