// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/mman.h>

#include <cerrno>
#include <cstddef>
#include <span>
#include <system_error>

/// Memory that this process and those which it forks share, as they do not share a `shared_memory`.
/// Of zeros.
class forked_memory {
 public:
  explicit forked_memory(std::size_t size) : size_{size} {
    begin_ = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (begin_ == MAP_FAILED) throw std::system_error{errno, std::generic_category(), "mmap"};
  }
  forked_memory(const forked_memory&) = delete;
  forked_memory& operator=(const forked_memory&) = delete;
  ~forked_memory() { ::munmap(begin_, size_); }

  [[nodiscard]] std::span<std::byte> bytes() const {
    return {static_cast<std::byte*>(begin_), size_};
  }

 private:
  void* begin_;
  std::size_t size_;
};
