// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <coterie/detail/byte_buffer.hpp>
#include <coterie/detail/worker_function.hpp>

namespace coterie::detail {

/// The first thing a worker is told.
struct worker_setup {
  std::int32_t size = 0;  // workers in the pool
  worker_function initializer;
  worker_function finalizer;
};

void encode(byte_buffer& out, const worker_setup& setup);
/// Throws `bad_frame`.
worker_setup decode_setup(std::span<const std::byte> bytes);

}  // namespace coterie::detail
