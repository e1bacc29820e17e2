// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <optional>

#include "channel/begun_counter.hpp"
#include "links/listening_link.hpp"
#include "messages/frame_reader.hpp"
#include "messages/send_queue.hpp"

namespace coterie::detail {

/// A link over a Unix stream socket.
class socket_link final : public listening_link {
 public:
  /// Throws `boost::system::system_error` if the event loop cannot watch the socket. The counter
  /// must have been offered to the worker.
  socket_link(runtime& runs_on, unique_descriptor socket, begun_reader counter);

  void send(const frame_header& header, const shared_payload& payload) override;
  void flush() override;
  [[nodiscard]] std::optional<claimed_items> claimed() override;
  /// Nothing, ever.
  [[nodiscard]] bool revoke(const claimed_items&) override { return false; }
  void close() override;

 private:
  // listening_link
  void read_socket() override { socket().async_read(reader_.space(), as_told()); }
  std::optional<frame> take_frame() override;
  void take_in(std::size_t count) override { reader_.received(count); }
  void take_in_the_rest() override;
  void write_on() override { flush(); }

  bool read_the_rest();

  begun_reader counter_;
  frame_reader reader_;
  send_queue queue_;
  std::size_t rest_ = 0;  // bytes that a worker has left behind
};

}  // namespace coterie::detail
