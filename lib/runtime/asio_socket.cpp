// SPDX-License-Identifier: BSL-1.0
#include "runtime/asio_socket.hpp"

#include <sys/socket.h>

#include <utility>

#include <boost/asio/buffer.hpp>

namespace coterie::detail {

namespace asio = boost::asio;
using boost::system::error_code;

asio_socket::asio_socket(asio_runtime& runs_on, unique_descriptor socket)
    : runtime_{runs_on}, socket_{std::in_place, runs_on.event_loop()} {
  socket_->assign(asio::local::stream_protocol{}, socket.get());
  socket.release();
  socket_->non_blocking(true);
}

void asio_socket::async_read(std::span<std::byte> to, std::shared_ptr<socket_events> told) {
  reading_ = true;
  socket_->async_read_some(
      asio::buffer(to.data(), to.size()),
      [this, told = std::move(told)](const error_code& error, std::size_t count) mutable {
        runtime_.enter([this, told = std::move(told), count, ended = error.failed()] {
          read_ended(*told, count, ended);
        });
      });
}

void asio_socket::async_read_nothing(std::shared_ptr<socket_events> told) {
  reading_ = true;
  runtime_.post([this, told = std::move(told)] { read_ended(*told, 0, false); });
}

void asio_socket::async_wait_for_room(std::shared_ptr<socket_events> told) {
  waiting_ = true;
  socket_->async_wait(socket_type::wait_write,
                      [this, told = std::move(told)](const error_code&) mutable {
                        runtime_.enter([this, told = std::move(told)] {
                          waiting_ = false;
                          if (closed_) give_back_if_at_rest();
                          told->room_came();
                        });
                      });
}

void asio_socket::read_ended(socket_events& told, std::size_t count, bool ended) {
  reading_ = false;
  if (closed_) give_back_if_at_rest();
  told.bytes_came(count, ended);
}

void asio_socket::cancel() {
  error_code ignored;
  if (socket_) socket_->cancel(ignored);
}

void asio_socket::close() {
  if (std::exchange(closed_, true)) return;
  if (!at_rest()) {
    // Ends a read even if a process that the worker has started holds the other end open.
    ::shutdown(socket_->native_handle(), SHUT_RDWR);
    cancel();
  }
  give_back_if_at_rest();
}

void asio_socket::give_back_if_at_rest() {
  if (at_rest()) socket_.reset();
}

void asio_socket::abandon() noexcept {
  closed_ = true;
  socket_.reset();
}

}  // namespace coterie::detail
