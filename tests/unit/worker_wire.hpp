// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "frames.hpp"
#include "worker/process_runtime.hpp"
#include "worker/worker_link.hpp"
#include "worker/worker_socket.hpp"

/// A worker's link without a worker: the test is the parent at the other end.
class worker_wire {
 public:
  /// Between two looks of the thread that sends open results. In tests it does not look, but for
  /// `tell`.
  static constexpr std::chrono::nanoseconds never = std::chrono::hours{24};

  explicit worker_wire(std::chrono::nanoseconds look_interval = never) {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
      throw std::system_error{errno, std::generic_category()};
    }
    parent_ = pair[0];
    worker_ = pair[1];
    auto socket = std::make_unique<coterie::detail::worker_socket>(
        worker_, coterie::detail::unique_descriptor{}, runtime, look_interval);
    socket_ = socket.get();
    link = std::make_unique<coterie::detail::worker_link>(std::move(socket), runtime);
  }
  worker_wire(const worker_wire&) = delete;
  worker_wire& operator=(const worker_wire&) = delete;
  ~worker_wire() {
    link.reset();
    ::close(parent_);
    ::close(worker_);
  }

  struct message {
    coterie::detail::frame_header header;
    frames::bytes payload;
  };

  /// What the worker has sent so far. It must be little enough for the socket to hold.
  std::vector<message> sent() {
    std::vector<message> all;
    for (;;) {
      const auto space = reader_.space();
      const auto count = ::recv(parent_, space.data(), space.size(), MSG_DONTWAIT);
      if (count <= 0) return all;
      reader_.received(static_cast<std::size_t>(count));
      while (const auto next = reader_.next()) {
        all.push_back({next->header, {next->payload.begin(), next->payload.end()}});
      }
    }
  }

  /// The worker sends the results that are open, as it does by itself from time to time.
  void tell() { socket_->tell(); }

  /// The parent says something.
  void say(std::span<const std::byte> bytes) {
    REQUIRE(::send(parent_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  }
  void say(coterie::detail::frame_header header, const frames::bytes& payload = {}) {
    frames::bytes all;
    frames::append(all, header, payload);
    say(all);
  }

  coterie::detail::process_runtime runtime;
  std::unique_ptr<coterie::detail::worker_link> link;

 private:
  int parent_ = -1;
  int worker_ = -1;
  coterie::detail::worker_socket* socket_ = nullptr;
  coterie::detail::frame_reader reader_;
};
