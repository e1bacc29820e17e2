// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <optional>

#include <boost/asio/any_io_executor.hpp>

#include "channel/begun_counter.hpp"
#include "links/link.hpp"
#include "links/link_socket.hpp"
#include "messages/frame_reader.hpp"
#include "messages/send_queue.hpp"
#include "system/unique_descriptor.hpp"

namespace coterie::detail {

/// A link over a Unix stream socket.
class socket_link final : public link {
 public:
  /// Throws `boost::system::system_error` if the event loop cannot watch the socket. The counter must have
  /// been offered to the worker.
  socket_link(const boost::asio::any_io_executor& executor, unique_descriptor socket,
              begun_reader counter);

  void async_receive(std::shared_ptr<link_listener> listener) override;
  void received(std::size_t count) override;
  std::optional<frame> next() override;
  void look_again(const std::shared_ptr<link_listener>&, bool) override {}
  [[nodiscard]] bool looked(const std::shared_ptr<link_listener>&, look_for) override {
    return true;
  }
  void stop_receiving() override { socket_.cancel(); }
  bool drain() override;
  [[nodiscard]] std::optional<std::size_t> begun(chunk_id chunk, std::size_t done) override {
    return counter_.begun(chunk, done);
  }
  void send(const frame_header& header, const shared_payload& payload) override;
  void flush(const std::shared_ptr<link_listener>& listener) override;
  void output_possible(const std::shared_ptr<link_listener>& listener) override;
  void close() override;
  [[nodiscard]] bool at_rest() const noexcept override { return socket_.at_rest(); }
  void abandon() noexcept override { socket_.abandon(); }

 private:
  link_socket socket_;
  begun_reader counter_;
  frame_reader reader_;
  send_queue queue_;
};

}  // namespace coterie::detail
