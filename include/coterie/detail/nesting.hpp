// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

namespace coterie::detail {

/// Notices when values nest so deeply that the stack is in danger: each byte of a message can claim
/// one more list inside a list, and a megabyte of them would end the process.
class nesting {
 public:
  /// The stack that one value may take, in bytes. Threads have 8 MiB unless told otherwise.
  static constexpr std::size_t most_stack = std::size_t{1} << 20;

  /// Counts from the caller's stack frame. Precondition for `too_deep`: the same thread asks.
  nesting() noexcept : outermost_(here()) {}

  [[gnu::always_inline]] bool too_deep() const noexcept {
    const char* const now = here();
    return static_cast<std::size_t>(now < outermost_ ? outermost_ - now : now - outermost_) >
           most_stack;
  }

 private:
  [[gnu::always_inline]] static const char* here() noexcept {
    return static_cast<const char*>(__builtin_frame_address(0));
  }

  const char* outermost_;
};

}  // namespace coterie::detail
