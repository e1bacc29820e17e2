// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "channel/byte_ring.hpp"
#include "modelled_memory.hpp"

namespace memory_model {

/// The variables of a ring. Each of those for bytes stands for as many of them as make the
/// capacity.
template <std::size_t variables>
class ring_variables {
 public:
  explicit ring_variables(coterie::detail::byte_ring ring, std::uint64_t start = 0) {
    auto& words = ring.words();
    memory& all = memory::instance();
    all.add(&words.head, head_, start);
    all.add(&words.tail, tail_, start);
    all.add(&words.reader_sleeps, reader_sleeps_);
    all.add(&words.writer_waits, writer_waits_);
    all.add(reinterpret_cast<std::byte*>(&words + 1), content_, ring.capacity() / variables);
  }

 private:
  cell head_;
  cell tail_;
  cell reader_sleeps_;
  cell writer_waits_;
  std::array<plain, variables> content_;
};

/// A ring of so many bytes; `number` tells those of one scenario apart.
template <std::size_t capacity, int number = 0>
class modelled_ring {
 public:
  explicit modelled_ring(std::uint64_t start = 0) : variables_{ring(), start} {}

  [[nodiscard]] coterie::detail::byte_ring ring() const {
    return coterie::detail::byte_ring{place_};
  }

 private:
  // Nothing but addresses: what would be there is in the variables.
  alignas(64) static inline std::array<std::byte,
                                       coterie::detail::byte_ring::memory_for(capacity)> place_{};

  ring_variables<capacity> variables_;
};

}  // namespace memory_model
