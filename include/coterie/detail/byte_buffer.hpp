// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <stdexcept>
#include <utility>

#include <coterie/detail/buffer_memory.hpp>

namespace coterie::detail {

/// Bytes that grow at the end, without being set to zero first. The bytes start at a multiple of
/// 16, so that a message of raw values can be used in place. Move-only.
///
/// They lie on the heap, or, when there are many, in memory that was given for them.
///
/// Errors: what grows throws `std::bad_alloc` if there is no memory, `std::length_error` if the
/// size cannot be represented; the content is then unchanged.
/// Thread safety: none; one thread at a time.
class byte_buffer {
 public:
  /// Every buffer's first byte is at a multiple of this.
  static constexpr std::size_t alignment = 16;

  byte_buffer() noexcept = default;

  /// Asks `large` for memory before the heap. Null is the heap alone.
  explicit byte_buffer(std::shared_ptr<buffer_memory> large) noexcept : large_(std::move(large)) {}

  /// Leaves `other` empty, without capacity.
  byte_buffer(byte_buffer&& other) noexcept { swap(other); }

  byte_buffer& operator=(byte_buffer&& other) noexcept {
    byte_buffer(std::move(other)).swap(*this);
    return *this;
  }

  ~byte_buffer() { release(); }

  /// The first byte; null while nothing was ever reserved. Valid until the buffer grows or moves.
  std::byte* data() noexcept { return data_; }
  const std::byte* data() const noexcept { return data_; }

  /// The number of bytes in use.
  std::size_t size() const noexcept { return size_; }

  /// The number of bytes that fit without a new allocation.
  std::size_t capacity() const noexcept { return capacity_; }

  bool empty() const noexcept { return size_ == 0; }

  /// Whose memory the bytes lie in; null if it is the heap's.
  const buffer_memory* memory() const noexcept { return on_heap_ ? nullptr : large_.get(); }

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
    std::swap(large_, other.large_);
    std::swap(on_heap_, other.on_heap_);
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

  void reallocate(std::size_t new_capacity) {
    const std::span<std::byte> given = large_ ? large_->take(new_capacity) : std::span<std::byte>{};
    if (!given.empty()) {
      move_to(given.data(), given.size(), false);
    } else if (on_heap_) {
      static_assert(alignof(std::max_align_t) >= alignment, "malloc's own alignment is enough");
      // realloc moves large blocks by changing page tables: no bytes are copied, no old copy stays.
      void* const moved = std::realloc(data_, new_capacity);
      if (moved == nullptr) throw std::bad_alloc();
      data_ = static_cast<std::byte*>(moved);
      capacity_ = new_capacity;
    } else {
      void* const made = std::malloc(new_capacity);
      if (made == nullptr) throw std::bad_alloc();
      move_to(static_cast<std::byte*>(made), new_capacity, true);
    }
  }

  // All that may have been written, not only what has been added: see `prepare`.
  void move_to(std::byte* data, std::size_t capacity, bool on_heap) noexcept {
    if (capacity_ != 0) std::memcpy(data, data_, capacity_);
    release();
    data_ = data;
    capacity_ = capacity;
    on_heap_ = on_heap;
  }

  void release() noexcept {
    if (on_heap_) {
      std::free(data_);
    } else {
      large_->give_back({data_, capacity_});
    }
  }

  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::shared_ptr<buffer_memory> large_;
  bool on_heap_ = true;
};

}  // namespace coterie::detail
