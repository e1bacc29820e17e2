// SPDX-License-Identifier: BSL-1.0
#include "links/link_socket.hpp"

#include <sys/socket.h>

#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>

namespace coterie::detail {

namespace asio = boost::asio;
using boost::system::error_code;

link_socket::link_socket(const asio::any_io_executor& executor, unique_descriptor socket)
    : socket_{std::in_place, executor} {
  socket_->assign(asio::local::stream_protocol{}, socket.get());
  socket.release();
  socket_->non_blocking(true);
}

void link_socket::async_read(std::span<std::byte> to, std::shared_ptr<link_listener> listener) {
  reading_ = true;
  socket_->async_read_some(asio::buffer(to.data(), to.size()),
                           [listener = std::move(listener)](error_code problem, std::size_t count) {
                             listener->input_arrived(problem, count);
                           });
}

void link_socket::async_read_nothing(std::shared_ptr<link_listener> listener) {
  reading_ = true;
  asio::post(socket_->get_executor(),
             [listener = std::move(listener)] { listener->input_arrived({}, 0); });
}

void link_socket::async_wait_for_room(std::shared_ptr<link_listener> listener) {
  waiting_ = true;
  socket_->async_wait(socket_type::wait_write, [listener = std::move(listener)](error_code) {
    listener->output_possible();
  });
}

void link_socket::read_ended() {
  reading_ = false;
  if (closed_) give_back_if_at_rest();
}

void link_socket::wait_ended() {
  waiting_ = false;
  if (closed_) give_back_if_at_rest();
}

void link_socket::cancel() {
  error_code ignored;
  if (socket_) socket_->cancel(ignored);
}

void link_socket::close() {
  if (std::exchange(closed_, true)) return;
  if (!at_rest()) {
    // Ends a read even if a process that the worker has started holds the other end open.
    ::shutdown(socket_->native_handle(), SHUT_RDWR);
    cancel();
  }
  give_back_if_at_rest();
}

void link_socket::give_back_if_at_rest() {
  if (at_rest()) socket_.reset();
}

void link_socket::abandon() noexcept {
  closed_ = true;
  socket_.reset();
}

}  // namespace coterie::detail
