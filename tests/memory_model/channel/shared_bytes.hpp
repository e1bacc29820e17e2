// SPDX-License-Identifier: BSL-1.0
#pragma once

// In the place of lib/channel/shared_bytes.hpp: bytes of which Relacy knows which thread touches
// them.

#include <atomic>
#include <cstddef>
#include <span>

#include <coterie/detail/byte_buffer.hpp>

#include "modelled_memory.hpp"

namespace coterie::detail {

inline void write_shared(std::byte* to, const void* from, std::size_t count) {
  if (count == 0) return;
  const auto* next = static_cast<const unsigned char*>(from);
  for (memory_model::plain& each : memory_model::memory::instance().bytes(to, count)) {
    if (memory_model::life::instance().step(std::memory_order_relaxed)) each(RL_INFO) = *next;
    ++next;
  }
}
inline void read_shared(std::byte* to, const std::byte* from, std::size_t count) {
  if (count == 0) return;
  for (const memory_model::plain& each : memory_model::memory::instance().bytes(from, count)) {
    *to++ = static_cast<std::byte>(static_cast<unsigned>(each(RL_INFO)));
  }
}

// A processor may read such bytes in any order. Precondition: `to` has room for them.
inline void append_shared(byte_buffer& to, std::span<const std::byte> from) {
  for (const std::byte& each : from) {
    const memory_model::cell& variable = memory_model::memory::instance().word(&each);
    std::byte* const here = to.extend(1);
    *here = static_cast<std::byte>(variable.load(rl::mo_relaxed, RL_INFO));
    memory_model::reordering::instance().has_loaded(variable, here);
  }
}

}  // namespace coterie::detail
