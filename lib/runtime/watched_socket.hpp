// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace coterie::detail {

/// Is told in a turn what happens on a `watched_socket`.
class socket_events {
 public:
  /// What `async_read` waited for: `count` bytes came, or with `ended` none will come any more.
  virtual void bytes_came(std::size_t count, bool ended) = 0;
  /// What `async_wait_for_room` waited for.
  virtual void room_came() = 0;

 protected:
  ~socket_events() = default;
};

/// A socket that does not block and that the event loop of a `runtime` watches.
///
/// A wait keeps its `socket_events` alive, and these are told of its end even after `cancel` and
/// `close`. Thread safety: none.
class watched_socket {
 public:
  watched_socket() = default;
  watched_socket(const watched_socket&) = delete;
  watched_socket& operator=(const watched_socket&) = delete;
  virtual ~watched_socket() = default;

  /// Precondition: not closed.
  [[nodiscard]] virtual int descriptor() = 0;
  [[nodiscard]] virtual bool closed() const noexcept = 0;

  /// Reads what comes. One at a time.
  virtual void async_read(std::span<std::byte> to, std::shared_ptr<socket_events> told) = 0;
  /// As if nothing had been read, soon. Counts as a read.
  virtual void async_read_nothing(std::shared_ptr<socket_events> told) = 0;
  /// Waits until something can be written. One at a time.
  virtual void async_wait_for_room(std::shared_ptr<socket_events> told) = 0;

  [[nodiscard]] virtual bool reads() const noexcept = 0;
  [[nodiscard]] virtual bool waits_for_room() const noexcept = 0;
  /// Whether no wait is going on.
  [[nodiscard]] bool at_rest() const noexcept { return !reads() && !waits_for_room(); }

  /// Ends a read.
  virtual void cancel() = 0;
  /// The other side sees an end. Waits that are going on end soon.
  virtual void close() = 0;
  /// Gives the descriptor back at once, because the event loop is being destroyed. No wait is told
  /// of.
  virtual void abandon() noexcept = 0;
};

}  // namespace coterie::detail
