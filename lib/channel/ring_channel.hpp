// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>

#include "channel/byte_ring.hpp"
#include "system/unique_descriptor.hpp"

namespace coterie::detail {

/// One end of a channel between two processes: a ring of bytes each way, in memory that both share,
/// and a Unix stream socket on which the ends wake each other. Both ends are alike.
///
/// The socket carries bells and descriptors, and no messages. Its end is the end of the other side.
///
/// A channel never waits: its user does, for input on the socket. A user that must not lose a
/// wake-up does, in this order:
///   to read: `read`; if there was nothing: `prepare_sleep`, and if that is true, wait until a bell
///   comes, and `stop_sleeping`; begin again. An end that has nothing else to wait for can wait on
///   the `sleep_word` instead (`wake_by::futex`): then no bell comes, and a closed socket does not
///   end the wait unless the other end says so (`notify_of_end`).
///   to write: `write`; if bytes are left: `prepare_wait`, and if that is true, wait until a bell
///   comes, and `stop_waiting`; begin again. `notify` when the other end is to read what was
///   written.
///
/// A bell ends any wait, whatever it was rung for: so both rings are tried again before the next
/// wait. Bells are received (`receive`) before a wait is announced or when it has ended, and not in
/// between: that bell could be the one for this wait.
///
/// The other end is not believed: see `byte_ring`. Functions throw `bad_frame` where that is said,
/// if the other end did what no end does.
///
/// Precondition of `read` and of all that send or receive: the socket is open. Thread safety: none.
class ring_channel {
 public:
  /// The socket stays the caller's. The rings' memory must outlive the channel.
  ring_channel(int socket, byte_ring in, byte_ring out) noexcept
      : socket_{socket}, in_{in}, out_{out} {}

  // ---- what comes ----

  /// Copies as much as there is and fits into `to`, and returns how much that was. Wakes a writer
  /// at the other end that waits for room, if there is as much as it wants. Throws `bad_frame`.
  std::size_t read(std::span<std::byte> to);
  /// Bytes that can be read now. Throws `bad_frame`.
  [[nodiscard]] std::size_t readable() { return in_.readable(); }

  /// Announces that this end is about to sleep until there is something to read. False: there is
  /// something already, and nothing is announced. Throws `bad_frame`.
  [[nodiscard]] bool prepare_sleep(wake_by how = wake_by::bell) { return in_.prepare_sleep(how); }
  /// To wait on by futex, for as long as it has `ring_reader::sleep_value`.
  [[nodiscard]] const std::uint64_t& sleep_word() const noexcept { return in_.sleep_word(); }
  /// Revokes the announcement.
  void stop_sleeping() noexcept { in_.stop_sleeping(); }

  // ---- what goes ----

  /// Copies as much as fits, and returns how much that was. Does not wake the other end. Throws
  /// `bad_frame`.
  std::size_t write(std::span<const iovec> pieces) { return out_.write(pieces); }
  /// Wakes the other end if it sleeps, and returns whether it did.
  bool notify();
  /// To be called when the socket has been shut down or closed: ends the other end's sleep, if it
  /// is one that the socket does not end.
  void notify_of_end() noexcept;
  /// Whether the other end has read all that was written. Throws `bad_frame`.
  [[nodiscard]] bool all_is_read() { return out_.free() == out_.capacity(); }

  /// Announces that this end is about to wait for room for `wanted` bytes, or for half of the ring
  /// if that is less. The other end is woken first, if it sleeps: it is to make that room. False:
  /// there is room already, and nothing is announced. Throws `bad_frame`.
  [[nodiscard]] bool prepare_wait(std::size_t wanted);
  /// Revokes the announcement.
  void stop_waiting() noexcept { out_.stop_waiting(); }

  /// Sends a copy of a descriptor, and with it a bell. A message about it that is written
  /// afterwards does not arrive earlier. False: the socket takes no more, or the other end is
  /// closed.
  [[nodiscard]] bool send_descriptor(int descriptor);

  // ---- the socket ----

  /// What was on the socket.
  enum class arrival : std::uint8_t {
    nothing,
    bells,            // one or more, and perhaps descriptors; there may be more of both
    end,              // the other end is closed, and all that it sent has been received
    error,            // the descriptor of the socket cannot be used any more
    lost_descriptor,  // this process can have no more descriptors (EMFILE): some are missing
  };
  /// Receives what is on the socket, without waiting. Throws `bad_frame` if that is not bells, or
  /// more descriptors than any end sends.
  arrival receive();
  /// For a user that reads the socket in another way, and is sent no descriptors: takes in what was
  /// read. Throws `bad_frame` if that is not bells.
  static void received(std::span<const std::byte> bytes);
  /// The next descriptor, in the order in which they were sent; empty if no more were received.
  unique_descriptor take_descriptor() noexcept;

 private:
  int socket_;
  ring_reader in_;
  ring_writer out_;
  std::deque<unique_descriptor> descriptors_;  // that were received, and not taken
};

}  // namespace coterie::detail
