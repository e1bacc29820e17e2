// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "links/link.hpp"
#include "system/unique_descriptor.hpp"

namespace coterie::detail {

/// The parent's end of a worker's socket, which knows when it may be closed.
///
/// A socket that is closed while an operation is pending is a trap in Asio's io_uring backend (Boost
/// 1.81): the state that it kept for the socket serves the next one that is made, with the old operation
/// still in its queue, which then reads what was sent to the new socket. So `close` only ends the
/// conversation, and the descriptor is given back with the last operation.
class link_socket {
 public:
  /// Throws `boost::system::system_error` if the event loop cannot watch the socket.
  link_socket(const boost::asio::any_io_executor& executor, unique_descriptor socket);

  /// Precondition: not closed.
  [[nodiscard]] int descriptor() { return socket_->native_handle(); }
  [[nodiscard]] bool closed() const noexcept { return closed_; }

  /// Reads what comes, and tells `input_arrived`; whoever is told calls `read_ended`. One at a time.
  void async_read(std::span<std::byte> to, std::shared_ptr<link_listener> listener);
  /// Tells `input_arrived` soon, as if nothing had been read.
  void async_read_nothing(std::shared_ptr<link_listener> listener);
  /// Waits until something can be written, and tells `output_possible`; whoever is told calls
  /// `wait_ended`. One at a time.
  void async_wait_for_room(std::shared_ptr<link_listener> listener);
  [[nodiscard]] bool waits_for_room() const noexcept { return waiting_; }

  void read_ended();
  void wait_ended();
  /// Ends a read; whoever waits for it is told.
  void cancel();

  /// The other side sees an end. Operations that are pending end soon.
  void close();
  /// Whether no operation is pending.
  [[nodiscard]] bool at_rest() const noexcept { return !reading_ && !waiting_; }
  /// Gives the descriptor back at once, because the event loop is being destroyed.
  void abandon() noexcept;

 private:
  using socket_type = boost::asio::basic_stream_socket<boost::asio::local::stream_protocol,
                                                       boost::asio::any_io_executor>;

  void give_back_if_at_rest();

  // Empty once given back. Asio's io_uring service may destroy the handler of an operation that was
  // pending, and with it this object, when the service that the socket belongs to is gone already.
  std::optional<socket_type> socket_;
  bool reading_ = false;
  bool waiting_ = false;
  bool closed_ = false;
};

}  // namespace coterie::detail
