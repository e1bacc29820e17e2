// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace coterie::detail {

/// How a side that sleeps is woken: by a bell, which ends a wait for the socket, or by the kernel,
/// with which it waits for a change of the word by which it has announced its sleep.
enum class wake_by : std::uint8_t { bell, futex };

/// Where a ring of bytes lies, in memory that two processes share. One process writes, through a
/// `ring_writer`, and one reads, through a `ring_reader`; neither waits for the other to look.
///
/// The memory holds no pointers, so each process may map it elsewhere. Memory of zeros is an empty
/// ring: it needs no preparation, and either side may come first.
///
/// Neither side believes the other. Each keeps its own index to itself, and takes the other's only
/// after it was found possible. A process that writes nonsense into the memory can make the other
/// see wrong bytes, wake it for nothing or not wake it, but not more than that.
class byte_ring {
 public:
  /// The words that both look at, each on a cache line of its own: a side that changes one must not
  /// take the others from the caches of the other side.
  struct control_words {
    static constexpr std::size_t line = 64;
    alignas(line) std::uint64_t head;           // bytes ever written; set by the writer
    alignas(line) std::uint64_t tail;           // bytes ever read; set by the reader
    alignas(line) std::uint64_t reader_sleeps;  // not 0: wants to be woken (see `reader_states`)
    alignas(line) std::uint64_t writer_waits;   // not 0: wants to be woken at so many bytes of room
  };

  /// What `reader_sleeps` says.
  struct reader_states {
    static constexpr std::uint64_t awake = 0;
    static constexpr std::uint64_t sleeps = 1;           // until a bell comes
    static constexpr std::uint64_t sleeps_on_futex = 2;  // until it is woken as one that waits here
    static constexpr std::uint64_t left_alone = 3;       // the writer has ended
  };

  /// Bytes of memory for a ring of `capacity` bytes. Also the distance of rings that lie in a row,
  /// if the capacity is a cache line or more.
  static constexpr std::size_t memory_for(std::size_t capacity) {
    return sizeof(control_words) + capacity;
  }

  /// A view of `memory`, which must outlive it. Throws `std::invalid_argument` if the memory does
  /// not begin at a cache line or is not as long as `memory_for` says for a power of two.
  explicit byte_ring(std::span<std::byte> memory);

  [[nodiscard]] std::size_t capacity() const noexcept { return data_.size(); }
  [[nodiscard]] control_words& words() const noexcept { return *words_; }

  /// Copies `count` bytes to, or from, where those with the indices from `index` on lie.
  /// Precondition: `count <= capacity()`.
  void put(std::uint64_t index, const void* from, std::size_t count) const noexcept;
  void get(std::uint64_t index, std::byte* to, std::size_t count) const noexcept;

 private:
  control_words* words_;
  std::span<std::byte> data_;
};

/// The side of a ring that writes.
///
/// A writer that must not lose a wake-up does, in this order:
///   write; if `must_wake_reader`, wake it; if bytes are left: `prepare_wait`, and if that is true,
///   sleep until woken; begin again.
/// How the two wake each other is not the ring's business. Being woken for nothing must be
/// harmless.
///
/// Every function that looks at the reader's index throws `bad_frame` if that cannot be: it is
/// behind what it was, or ahead of what was written. Nothing was written then.
/// Thread safety: none; one thread at a time. The reader may be elsewhere.
class ring_writer {
 public:
  /// `start` is the index of the first byte, the same for both sides, and both words in the memory:
  /// not 0 only in tests of what happens at the largest.
  explicit ring_writer(byte_ring ring, std::uint64_t start = 0) noexcept
      : ring_{ring}, head_{start}, seen_tail_{start} {}

  /// Copies as much as fits, shows it to the reader, and returns how much that was. Throws
  /// `bad_frame`.
  std::size_t write(std::span<const std::byte> bytes);
  /// The same for bytes in several pieces; the reader sees them all at once.
  std::size_t write(std::span<const iovec> pieces);

  /// Bytes that fit now. Throws `bad_frame`.
  std::size_t free();
  [[nodiscard]] std::size_t capacity() const noexcept { return ring_.capacity(); }

  /// Whether the reader sleeps and has to be woken for what was written, and how. If so, it counts
  /// as awake from now on: exactly one caller is told. To be asked after every write, before
  /// `prepare_wait`.
  [[nodiscard]] std::optional<wake_by> must_wake_reader() noexcept;
  /// The same for a writer that has ended. The reader's next `prepare_sleep` by futex is false.
  [[nodiscard]] std::optional<wake_by> must_wake_reader_for_the_end() noexcept;
  /// The word on which a reader that sleeps by futex waits.
  [[nodiscard]] const std::uint64_t& reader_sleeps() const noexcept {
    return ring_.words().reader_sleeps;
  }

  /// Announces that this side is about to sleep until `wanted` bytes fit, or all if that is more
  /// than the capacity. Returns whether it may: false if there is room already. Throws `bad_frame`.
  ///
  /// The reader wakes it when that much is free. Small wishes make the two take turns for a few
  /// bytes each; half of the capacity is a good wish for one with much to write.
  [[nodiscard]] bool prepare_wait(std::size_t wanted);
  /// Revokes the announcement, after something else ended the sleep.
  void stop_waiting() noexcept;

 private:
  [[nodiscard]] std::size_t room() const noexcept;
  void observe_tail();
  std::size_t room_for(std::size_t count);
  void publish();

  byte_ring ring_;
  std::uint64_t head_;       // the word in the memory is for the reader only
  std::uint64_t seen_tail_;  // the last that was believed
};

/// The side of a ring that reads.
///
/// A reader that must not lose a wake-up does, in this order:
///   read; if `must_wake_writer`, wake it; if nothing was read: `prepare_sleep`, and if that is
///   true, sleep until woken; begin again.
///
/// Every function that looks at the writer's index throws `bad_frame` if that cannot be: it is
/// behind what it was, or further ahead than the ring is long. Nothing was read then.
/// Thread safety: none; one thread at a time. The writer may be elsewhere.
class ring_reader {
 public:
  /// See `ring_writer`.
  explicit ring_reader(byte_ring ring, std::uint64_t start = 0) noexcept
      : ring_{ring}, tail_{start}, seen_head_{start} {}

  /// Copies as much as there is and fits into `to`, gives the room back, and returns how much it
  /// was.
  /// Throws `bad_frame`.
  std::size_t read(std::span<std::byte> to);

  /// Bytes that can be read now. Throws `bad_frame`.
  std::size_t readable();
  [[nodiscard]] std::size_t capacity() const noexcept { return ring_.capacity(); }

  /// Whether the writer waits and has as much room as it wants. If so, it counts as awake from now
  /// on. To be asked after every read that took something, before `prepare_sleep`. Throws
  /// `bad_frame`.
  [[nodiscard]] bool must_wake_writer();

  /// Announces that this side is about to sleep until something can be read, and how it is to be
  /// woken. Returns whether it may: false if there is something already; by futex also if the
  /// writer has ended. Throws `bad_frame`.
  [[nodiscard]] bool prepare_sleep(wake_by how = wake_by::bell);
  /// For a sleep by futex: the word to wait on, for as long as it has this value.
  [[nodiscard]] const std::uint64_t& sleep_word() const noexcept {
    return ring_.words().reader_sleeps;
  }
  static constexpr std::uint64_t sleep_value = byte_ring::reader_states::sleeps_on_futex;
  /// Revokes the announcement, after something else ended the sleep.
  void stop_sleeping() noexcept;

 private:
  [[nodiscard]] std::size_t unread() const noexcept;
  void observe_head();
  void publish();

  byte_ring ring_;
  std::uint64_t tail_;       // the word in the memory is for the writer only
  std::uint64_t seen_head_;  // the last that was believed
};

}  // namespace coterie::detail
