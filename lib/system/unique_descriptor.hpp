// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <unistd.h>

#include <utility>

namespace coterie::detail {

/// Owns a file descriptor.
class unique_descriptor {
 public:
  unique_descriptor() = default;
  explicit unique_descriptor(int descriptor) noexcept : descriptor_{descriptor} {}
  unique_descriptor(unique_descriptor&& other) noexcept : descriptor_{other.release()} {}
  unique_descriptor& operator=(unique_descriptor&& other) noexcept {
    if (this != &other) {
      reset();
      descriptor_ = other.release();
    }
    return *this;
  }
  ~unique_descriptor() { reset(); }

  [[nodiscard]] int get() const noexcept { return descriptor_; }
  explicit operator bool() const noexcept { return descriptor_ >= 0; }
  int release() noexcept { return std::exchange(descriptor_, -1); }
  void reset() noexcept {
    if (descriptor_ >= 0) ::close(release());
  }

 private:
  int descriptor_ = -1;
};

}  // namespace coterie::detail
