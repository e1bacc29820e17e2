// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "runtime/asio_runtime.hpp"
#include "runtime/watched_socket.hpp"
#include "system/unique_descriptor.hpp"

namespace coterie::detail {

/// A Unix stream socket that Asio watches, and which knows when it may be closed.
///
/// A socket that is closed while an operation is pending is a trap in Asio's io_uring backend
/// (Boost 1.81): the state that it kept for the socket serves the next one that is made, with the
/// old operation still in its queue, which then reads what was sent to the new socket. So `close`
/// only ends the conversation, and the descriptor is given back with the last operation.
class asio_socket final : public watched_socket {
 public:
  /// Throws `boost::system::system_error` if the event loop cannot watch the socket.
  asio_socket(asio_runtime& runs_on, unique_descriptor socket);

  [[nodiscard]] int descriptor() override { return socket_->native_handle(); }
  [[nodiscard]] bool closed() const noexcept override { return closed_; }

  void async_read(std::span<std::byte> to, std::shared_ptr<socket_events> told) override;
  void async_read_nothing(std::shared_ptr<socket_events> told) override;
  void async_wait_for_room(std::shared_ptr<socket_events> told) override;

  [[nodiscard]] bool reads() const noexcept override { return reading_; }
  [[nodiscard]] bool waits_for_room() const noexcept override { return waiting_; }

  void cancel() override;
  void close() override;
  void abandon() noexcept override;

 private:
  using socket_type = boost::asio::basic_stream_socket<boost::asio::local::stream_protocol,
                                                       boost::asio::any_io_executor>;

  void read_ended(socket_events& told, std::size_t count, bool ended);
  void give_back_if_at_rest();

  asio_runtime& runtime_;
  // Empty once given back. Asio's io_uring service may destroy the handler of an operation that was
  // pending, and with it this object, when the service that the socket belongs to is gone already.
  std::optional<socket_type> socket_;
  bool reading_ = false;
  bool waiting_ = false;
  bool closed_ = false;
};

}  // namespace coterie::detail
