// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <span>
#include <stdexcept>
#include <utility>

namespace coterie::detail {

/// Bytes that grow at the end, without being set to zero first. The bytes start at a multiple of
/// 16, so that a message of raw values can be used in place. Move-only.
///
/// Errors: what grows throws `std::bad_alloc` if there is no memory, `std::length_error` if the
/// size cannot be represented; the content is then unchanged.
/// Thread safety: none; one thread at a time.
class byte_buffer {
 public:
  /// Every buffer's first byte is at a multiple of this.
  static constexpr std::size_t alignment = 16;

  byte_buffer() noexcept = default;

  /// Leaves `other` empty, without capacity.
  byte_buffer(byte_buffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}

  byte_buffer& operator=(byte_buffer&& other) noexcept {
    byte_buffer(std::move(other)).swap(*this);
    return *this;
  }

  ~byte_buffer() { std::free(data_); }

  /// The first byte; null while nothing was ever reserved. Valid until the buffer grows or moves.
  std::byte* data() noexcept { return data_; }
  const std::byte* data() const noexcept { return data_; }

  /// The number of bytes in use.
  std::size_t size() const noexcept { return size_; }

  /// The number of bytes that fit without a new allocation.
  std::size_t capacity() const noexcept { return capacity_; }

  bool empty() const noexcept { return size_ == 0; }

  /// All bytes in use. Valid until the buffer grows or moves.
  std::span<const std::byte> view() const noexcept { return {data_, size_}; }

  operator std::span<const std::byte>() const noexcept { return view(); }

  /// Forgets the bytes and keeps the memory.
  void clear() noexcept { size_ = 0; }

  /// Forgets all bytes from `new_size` on and keeps the memory. Precondition: `new_size <= size()`.
  void resize_down(std::size_t new_size) noexcept { size_ = new_size; }

  /// Makes room for `new_capacity` bytes in all; never shrinks.
  void reserve(std::size_t new_capacity) {
    if (new_capacity > capacity_) reallocate(new_capacity);
  }

  /// Makes room for `count` more bytes and returns where they will be, without adding them. Bytes
  /// that were written there stay when the buffer grows.
  std::byte* prepare(std::size_t count) {
    if (count > capacity_ - size_) [[unlikely]]
      grow(count);
    return data_ + size_;
  }

  /// Adds the first `count` bytes behind the end. Precondition: `prepare` made room for them.
  void commit(std::size_t count) noexcept { size_ += count; }

  /// Adds `count` bytes and returns the first of them. Their values are indeterminate: write them
  /// all.
  std::byte* extend(std::size_t count) {
    std::byte* const added = prepare(count);
    commit(count);
    return added;
  }

  /// Adds a copy of `count` bytes at `source`, which must not be inside this buffer.
  void append(const void* source, std::size_t count) {
    if (count != 0) std::memcpy(extend(count), source, count);
  }

  void swap(byte_buffer& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

 private:
  // Out of line, so that the common case is a comparison and an addition.
  [[gnu::noinline, gnu::cold]] void grow(std::size_t count) {
    constexpr std::size_t most = std::numeric_limits<std::ptrdiff_t>::max();
    if (count > most - size_) throw std::length_error("a message cannot have that many bytes");
    const std::size_t needed = size_ + count;
    const std::size_t doubled = capacity_ > most / 2 ? most : capacity_ * 2;
    constexpr std::size_t first = 256;
    reallocate(needed > doubled ? (needed > first ? needed : first) : doubled);
  }

  // realloc moves large blocks by changing page tables: no bytes are copied, no old copy stays.
  void reallocate(std::size_t new_capacity) {
    static_assert(alignof(std::max_align_t) >= alignment, "malloc's own alignment is enough");
    void* const moved = std::realloc(data_, new_capacity);
    if (moved == nullptr) throw std::bad_alloc();
    data_ = static_cast<std::byte*>(moved);
    capacity_ = new_capacity;
  }

  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace coterie::detail
