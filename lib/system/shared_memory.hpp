// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <span>
#include <stdexcept>

#include "system/unique_descriptor.hpp"

namespace coterie::detail {

/// Which side writes to shared memory.
enum class memory_writer {
  both,
  creator,  // others can only read it; older kernels (before Linux 5.1) do not see to that
  other,    // the side that opens it; to the creator it is read-only
};

/// What another process has sent as shared memory cannot be used as such.
class bad_memory : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Memory without a name that processes share by handing over its descriptor. It begins as zeros,
/// and its size never changes: the kernel is told to refuse that to everybody, for good.
///
/// A process that is forked from one that shares memory does not share it: where that one writes,
/// it finds zeros, and what it writes is its own; what that one can only read, it can read too.
///
/// Thread safety: none for the object; what is done to the bytes is up to the sides that share
/// them.
class shared_memory {
 public:
  /// Shares nothing: no bytes, no descriptor.
  shared_memory() = default;

  /// Makes new memory of `size` bytes, all of it reserved by the side that writes, so that using it
  /// later cannot fail.
  ///
  /// Throws `boost::system::system_error` that names the step that failed; for example EMFILE or
  /// ENFILE: no descriptors; ENOMEM or ENOSPC: no memory, or no room among the addresses; EINVAL: a
  /// size of 0; EFBIG: more than this process may have in a file (`ulimit -f`). Nothing is left
  /// behind then.
  static shared_memory create(std::size_t size, memory_writer writer = memory_writer::both);

  /// Maps the first `size` bytes of memory that another process made by `create`. The descriptor
  /// and the size are what that process says, and are not believed.
  ///
  /// Throws `bad_memory` if that is not memory of at least this size that can be used as `writer`
  /// says and cannot shrink; `boost::system::system_error` if it cannot be mapped here, or not be
  /// reserved by its only writer. The descriptor is closed then.
  static shared_memory open(unique_descriptor descriptor, std::size_t size,
                            memory_writer writer = memory_writer::both);

  shared_memory(shared_memory&& other) noexcept;
  shared_memory& operator=(shared_memory&& other) noexcept;
  ~shared_memory() { unmap(); }

  /// The memory, at the beginning of a page. Stays where it is when the object moves. Must not be
  /// written to by a side that only reads.
  [[nodiscard]] std::span<std::byte> bytes() const noexcept { return bytes_; }
  /// For handing it over; -1 after `close_descriptor`.
  [[nodiscard]] int descriptor() const noexcept { return descriptor_.get(); }
  /// The memory stays. Descriptors are few, and this one is of no use once it was handed over.
  void close_descriptor() noexcept { descriptor_.reset(); }

 private:
  shared_memory(unique_descriptor descriptor, std::span<std::byte> bytes) noexcept;
  void unmap() noexcept;

  unique_descriptor descriptor_;
  std::span<std::byte> bytes_;
};

}  // namespace coterie::detail
