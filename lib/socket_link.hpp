// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <optional>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "frame_reader.hpp"
#include "link.hpp"
#include "send_queue.hpp"
#include "unique_descriptor.hpp"

namespace coterie::detail {

/// A link over a Unix stream socket.
class socket_link final : public link {
 public:
  /// Throws `boost::system::system_error` if the event loop cannot watch the socket.
  socket_link(const boost::asio::any_io_executor& executor, unique_descriptor socket);

  void async_receive(std::shared_ptr<link_listener> listener) override;
  void received(std::size_t count) override { reader_.received(count); }
  std::optional<frame> next() override { return reader_.next(); }
  void stop_receiving() override;
  bool drain() override;
  void send(const frame_header& header, std::span<const std::byte> payload) override;
  void send(const frame_header& header, const shared_payload& payload) override;
  void flush(const std::shared_ptr<link_listener>& listener) override;
  void output_possible(const std::shared_ptr<link_listener>& listener) override;
  void close() override;

 private:
  using socket_type = boost::asio::basic_stream_socket<boost::asio::local::stream_protocol,
                                                       boost::asio::any_io_executor>;

  // Empty once closed. Asio's io_uring service may destroy the handler of an operation that was
  // pending, and with it this link, when the service that the socket belongs to is gone already.
  std::optional<socket_type> socket_;
  frame_reader reader_;
  send_queue queue_;
  bool waiting_to_write_ = false;
};

}  // namespace coterie::detail
