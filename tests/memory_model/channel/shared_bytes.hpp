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
  const auto* const values = static_cast<const unsigned char*>(from);
  memory_model::memory::instance().each_of(to, count, [&](auto& variable, std::size_t index) {
    if (memory_model::life::instance().step(std::memory_order_relaxed)) {
      variable(RL_INFO) = values[index];
    }
  });
}
inline void read_shared(std::byte* to, const std::byte* from, std::size_t count) {
  memory_model::memory::instance().each_of(from, count, [&](auto& variable, std::size_t index) {
    to[index] = static_cast<std::byte>(static_cast<unsigned>(variable(RL_INFO)));
  });
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
