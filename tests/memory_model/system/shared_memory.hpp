// SPDX-License-Identifier: BSL-1.0
#pragma once

// In the place of lib/system/shared_memory.hpp: memory whose variables a scenario has.

#include <cstddef>
#include <span>

namespace coterie::detail {

class shared_memory {
 public:
  explicit shared_memory(std::span<std::byte> bytes) noexcept : bytes_{bytes} {}

  [[nodiscard]] std::span<std::byte> bytes() const noexcept { return bytes_; }

 private:
  std::span<std::byte> bytes_;
};

}  // namespace coterie::detail
