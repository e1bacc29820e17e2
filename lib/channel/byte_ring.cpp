// SPDX-License-Identifier: BSL-1.0
#include "channel/byte_ring.hpp"

#include <algorithm>
#include <bit>
#include <stdexcept>

#include <coterie/detail/shared_word.hpp>

#include "channel/shared_bytes.hpp"
#include "messages/frame.hpp"

namespace coterie::detail {

// How no wake-up is lost
//
// Each side publishes its index, then asks for the other's flag; and sets its own flag, then looks
// at the other's index once more. Lost is a wake-up if, of two such pairs, both second steps miss
// the other's first. A processor may do just that with a store and a load that follow each other.
//
// Here the flags are only ever touched by read-modify-writes. Those on one flag form a chain, in
// which each sees what came before it. A question releases, an announcement acquires, and those in
// between pass on what the question has shown, whatever their own order is. So of the writer's
// question and the reader's announcement one comes first: if the announcement, the question finds
// it; if the question, the announcement comes after the index was published, and the look that
// follows sees it. That is why a question is never asked by a cheaper plain load first: a load is
// not in the chain, and may miss an announcement whose look has missed the index. And it is why
// there are no fences: they would not be cheaper, and ThreadSanitizer does not know them.
//
// What takes an announcement back is a link of the chain and no more: it is relaxed.

namespace {

using word = shared_word;
using reader_states = byte_ring::reader_states;

std::optional<wake_by> how_to_wake(std::uint64_t was) noexcept {
  if (was == reader_states::awake || was == reader_states::left_alone) return std::nullopt;
  return was == reader_states::sleeps_on_futex ? wake_by::futex : wake_by::bell;
}

}  // namespace

// ---- The memory ----

byte_ring::byte_ring(std::span<std::byte> memory) {
  void* const begin = memory.data();
  if (reinterpret_cast<std::uintptr_t>(begin) % control_words::line != 0) {
    throw std::invalid_argument{"a ring must begin at a cache line"};
  }
  if (memory.size() < sizeof(control_words) ||
      !std::has_single_bit(memory.size() - sizeof(control_words))) {
    throw std::invalid_argument{"the capacity of a ring must be a power of two"};
  }
  words_ = static_cast<control_words*>(begin);
  data_ = memory.subspan(sizeof(control_words));
}

void byte_ring::put(std::uint64_t index, const void* from, std::size_t count) const noexcept {
  if (count == 0) return;  // `from` may be null
  const std::size_t at = index & (capacity() - 1);
  const std::size_t before_the_end = std::min(count, capacity() - at);
  write_shared(&data_[at], from, before_the_end);
  write_shared(data_.data(), static_cast<const std::byte*>(from) + before_the_end,
               count - before_the_end);
}

void byte_ring::get(std::uint64_t index, std::byte* to, std::size_t count) const noexcept {
  if (count == 0) return;
  const std::size_t at = index & (capacity() - 1);
  const std::size_t before_the_end = std::min(count, capacity() - at);
  read_shared(to, &data_[at], before_the_end);
  read_shared(to + before_the_end, data_.data(), count - before_the_end);
}

// ---- The writer ----

std::size_t ring_writer::room() const noexcept { return capacity() - (head_ - seen_tail_); }

// Acquires, so that the reader has copied the bytes out before they are overwritten.
void ring_writer::observe_tail() {
  // Once into a local: what was checked is what is used, whatever the word becomes meanwhile.
  const std::uint64_t tail = word{ring_.words().tail}.load(std::memory_order_acquire);
  // The indices may have passed the largest number, so only distances are compared. One comparison
  // finds a tail that went back, and one that is ahead of the head: its distance is then enormous.
  if (head_ - tail > head_ - seen_tail_) {
    throw bad_frame{"the reader of a ring claims to be where it cannot be"};
  }
  seen_tail_ = tail;
}

// Looks only if what is known does not do: while the ring is far from full, the reader's cache line
// stays with the reader.
std::size_t ring_writer::room_for(std::size_t count) {
  if (room() < count) observe_tail();
  return room();
}

// Releases, so that a side which sees the index sees the bytes.
void ring_writer::publish() { word{ring_.words().head}.store(head_, std::memory_order_release); }

std::size_t ring_writer::write(std::span<const std::byte> bytes) {
  if (bytes.empty()) return 0;
  const std::size_t count = std::min(bytes.size(), room_for(bytes.size()));
  if (count == 0) return 0;
  ring_.put(head_, bytes.data(), count);
  head_ += count;
  publish();
  return count;
}

std::size_t ring_writer::write(std::span<const iovec> pieces) {
  // Never more than the capacity, so that the sum of great lengths cannot pass the largest number.
  std::size_t wanted = 0;
  for (const iovec& piece : pieces) wanted += std::min(piece.iov_len, capacity() - wanted);
  if (wanted == 0) return 0;
  const std::size_t count = std::min(wanted, room_for(wanted));
  if (count == 0) return 0;
  std::size_t left = count;
  for (const iovec& piece : pieces) {
    const std::size_t part = std::min(piece.iov_len, left);
    ring_.put(head_, piece.iov_base, part);
    head_ += part;
    left -= part;
    if (left == 0) break;
  }
  publish();
  return count;
}

std::size_t ring_writer::free() {
  observe_tail();
  return room();
}

std::optional<wake_by> ring_writer::must_wake_reader() noexcept {
  return how_to_wake(
      word{ring_.words().reader_sleeps}.exchange(reader_states::awake, std::memory_order_release));
}

// The end shows on the socket, which both sides touch by system calls: that is order enough. A
// reader that announces itself after this finds the mark, and looks at its socket.
std::optional<wake_by> ring_writer::must_wake_reader_for_the_end() noexcept {
  return how_to_wake(word{ring_.words().reader_sleeps}.exchange(reader_states::left_alone,
                                                                std::memory_order_relaxed));
}

bool ring_writer::prepare_wait(std::size_t wanted) {
  wanted = std::clamp(wanted, std::size_t{1}, capacity());
  const word waits{ring_.words().writer_waits};
  // Releases too: the reader counts the room behind all that was written before.
  waits.exchange(wanted, std::memory_order_acq_rel);
  // A reader that asked before the announcement did not find it, but has given its room back by
  // then.
  observe_tail();
  if (room() < wanted) return true;
  // A reader that asked in between has a wake-up on its way, for nothing.
  waits.exchange(0, std::memory_order_relaxed);
  return false;
}

// An exchange, though the result is of no interest: a plain store would break the chain.
void ring_writer::stop_waiting() noexcept {
  word{ring_.words().writer_waits}.exchange(0, std::memory_order_relaxed);
}

// ---- The reader ----

std::size_t ring_reader::unread() const noexcept { return seen_head_ - tail_; }

// Acquires, so that the bytes before the index are there.
void ring_reader::observe_head() {
  const std::uint64_t head = word{ring_.words().head}.load(std::memory_order_acquire);
  const std::uint64_t distance = head - tail_;
  if (distance > capacity() || distance < seen_head_ - tail_) {
    throw bad_frame{"the writer of a ring claims to be where it cannot be"};
  }
  seen_head_ = head;
}

// Releases, so that a side which sees the room may fill it: the bytes have been copied out.
void ring_reader::publish() { word{ring_.words().tail}.store(tail_, std::memory_order_release); }

std::size_t ring_reader::read(std::span<std::byte> to) {
  if (unread() < to.size()) observe_head();
  const std::size_t count = std::min(to.size(), unread());
  if (count == 0) return 0;
  ring_.get(tail_, to.data(), count);
  tail_ += count;
  publish();
  return count;
}

std::size_t ring_reader::readable() {
  observe_head();
  return unread();
}

bool ring_reader::must_wake_writer() {
  const word waits{ring_.words().writer_waits};
  // Adds nothing, but is a link of the chain: a writer that announces itself after this sees the
  // room that was given back before.
  const std::uint64_t wanted = waits.fetch_add(0, std::memory_order_acq_rel);
  if (wanted == 0) return false;
  // The room from here: what the writer wrote before it decided to wait counts.
  observe_head();
  // Not enough yet: the wish stays, and the reads to come ask again. A wish is never larger than
  // the capacity, so it is granted at the latest when the ring is empty, before the reader sleeps.
  if (wanted > capacity() - unread()) return false;
  // It may have found the room by itself meanwhile.
  return waits.exchange(0, std::memory_order_relaxed) != 0;
}

bool ring_reader::prepare_sleep(wake_by how) {
  const bool by_futex = how == wake_by::futex;
  const word sleeps{ring_.words().reader_sleeps};
  const std::uint64_t announced = by_futex ? reader_states::sleeps_on_futex : reader_states::sleeps;
  const std::uint64_t before = sleeps.exchange(announced, std::memory_order_acquire);
  // A writer that asked before the announcement did not find it, but has published by then.
  observe_head();
  const bool hears_no_end = by_futex && before == reader_states::left_alone;
  if (unread() == 0 && !hears_no_end) return true;
  // A writer that asked in between has a wake-up on its way, for nothing.
  stop_sleeping();
  return false;
}

// The mark of the end stays, for the next sleep.
void ring_reader::stop_sleeping() noexcept {
  const word sleeps{ring_.words().reader_sleeps};
  if (sleeps.exchange(reader_states::awake, std::memory_order_relaxed) ==
      reader_states::left_alone) {
    sleeps.exchange(reader_states::left_alone, std::memory_order_relaxed);
  }
}

}  // namespace coterie::detail
