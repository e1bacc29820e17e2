// SPDX-License-Identifier: BSL-1.0
#include "socket_link.hpp"

#include <sys/socket.h>

#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

namespace coterie::detail {

namespace asio = boost::asio;
using boost::system::error_code;

socket_link::socket_link(const asio::any_io_executor& executor, unique_descriptor socket)
    : socket_{std::in_place, executor} {
  socket_->assign(asio::local::stream_protocol{}, socket.get());
  socket.release();
  socket_->non_blocking(true);
}

void socket_link::async_receive(std::shared_ptr<link_listener> listener) {
  const auto space = reader_.space();
  socket_->async_read_some(asio::buffer(space.data(), space.size()),
                           [listener = std::move(listener)](error_code problem, std::size_t count) {
                             listener->input_arrived(problem, count);
                           });
}

void socket_link::stop_receiving() {
  error_code ignored;
  socket_->cancel(ignored);
}

bool socket_link::drain() {
  const auto space = reader_.space();
  error_code problem;
  const std::size_t count = socket_->read_some(asio::buffer(space.data(), space.size()), problem);
  if (problem) return false;
  reader_.received(count);
  return true;
}

void socket_link::send(const frame_header& header, std::span<const std::byte> payload) {
  queue_.push(header, payload);
}

void socket_link::send(const frame_header& header, const shared_payload& payload) {
  queue_.push(header, payload);
}

void socket_link::flush(const std::shared_ptr<link_listener>& listener) {
  // A direct send costs one system call and no trip through the event loop.
  while (socket_ && !queue_.empty() && !waiting_to_write_) {
    const auto pieces = queue_.pieces();
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(pieces.data());
    message.msg_iovlen = pieces.size();
    const auto count = ::sendmsg(socket_->native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0) {
      queue_.sent(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN || errno == ENOBUFS) {
      waiting_to_write_ = true;
      socket_->async_wait(socket_type::wait_write,
                          [listener](error_code) { listener->output_possible(); });
    } else if (errno != EINTR) {
      // The worker is gone, and the receiving side will say so.
      queue_ = send_queue{};
    }
  }
}

void socket_link::output_possible(const std::shared_ptr<link_listener>& listener) {
  waiting_to_write_ = false;
  flush(listener);
}

void socket_link::close() {
  socket_.reset();
  queue_ = send_queue{};
}

}  // namespace coterie::detail
