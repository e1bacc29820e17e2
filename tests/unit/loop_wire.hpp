// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <system_error>
#include <vector>

#include <catch2/catch.hpp>

#include "channel/begun_counter.hpp"
#include "channel/byte_ring.hpp"
#include "channel/doorbell.hpp"
#include "channel/link_offer.hpp"
#include "channel/ring_pair.hpp"
#include "frames.hpp"
#include "made_up_runtime.hpp"
#include "messages/frame_reader.hpp"
#include "system/descriptor_channel.hpp"
#include "system/shared_memory.hpp"
#include "system/unique_descriptor.hpp"
#include "worker/worker_loop.hpp"
#include "worker/worker_transport.hpp"

/// A worker that runs in the test's own process and thread, with real sockets and real memory. The
/// test is the parent.
class loop_wire {
 public:
  using way = coterie::detail::link_offer::way;
  static constexpr std::size_t capacity = std::size_t{16} << 10U;

  explicit loop_wire(way frames_travel, int rank = 0,
                     std::chrono::nanoseconds busy_poll = std::chrono::nanoseconds::zero())
      : rank_{rank} {
    namespace d = coterie::detail;
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
      throw std::system_error{errno, std::generic_category()};
    }
    parent_ = d::unique_descriptor{pair[0]};
    worker_ = d::unique_descriptor{pair[1]};
    d::link_offer offer{.frames_travel = frames_travel,
                        .log2_capacity = static_cast<unsigned char>(std::countr_zero(capacity)),
                        .busy_poll = static_cast<std::uint32_t>(busy_poll.count())};
    int descriptor = counter_.descriptor();
    if (frames_travel == way::rings) {
      memory_ = d::shared_memory::create(d::ring_pair::memory_for(capacity));
      const d::ring_pair shared{memory_.bytes(), capacity};
      in_.emplace(shared.to_parent);
      out_.emplace(shared.to_worker);
      words_ = &shared.to_parent.words();
      descriptor = memory_.descriptor();
    }
    const auto bytes = std::as_bytes(std::span{&offer, 1});
    REQUIRE(d::send_with_descriptor(parent_.get(), bytes, descriptor, 0).outcome ==
            d::channel_outcome::moved);
  }

  /// The parent says something, and wakes the worker.
  template <class Message>
  void say(const Message& what, const frames::bytes& payload = {}) {
    frames::bytes all;
    frames::append(all, coterie::detail::frame_header::of(what), payload);
    if (!out_) {
      REQUIRE(::send(parent_.get(), all.data(), all.size(), 0) == static_cast<ssize_t>(all.size()));
      return;
    }
    REQUIRE(out_->write(all) == all.size());
    if (out_->must_wake_reader()) coterie::detail::ring_doorbell(parent_.get());
  }

  /// Runs the worker until it ends.
  worker_ended run() {
    namespace d = coterie::detail;
    try {
      d::worker_loop loop{rank_, d::worker_transport::accept(worker_.get(), runtime), runtime,
                          worker_.get()};
      loop.run();
    } catch (const worker_ended& end) {
      return end;
    }
  }

  struct message {
    coterie::detail::frame_header header;
    frames::bytes payload;
  };
  /// What the worker has sent since this was called last.
  std::vector<message> sent() {
    std::vector<message> all;
    while (const std::size_t count = receive(reader_.space())) {
      reader_.received(count);
      while (const auto next = reader_.next()) {
        all.push_back({next->header, {next->payload.begin(), next->payload.end()}});
      }
    }
    return all;
  }

  /// What the parent can see of the worker: bytes sent, bytes on the socket, and the claims.
  [[nodiscard]] std::array<std::uint64_t, 3> trace() const {
    int waiting = 0;
    REQUIRE(::ioctl(parent_.get(), FIONREAD, &waiting) == 0);
    std::uint64_t claimed = 0;
    if (words_ == nullptr) return {0, static_cast<std::uint64_t>(waiting), 0};
    claimed = coterie::detail::ring_pair{memory_.bytes(), capacity}.claimed.word();
    return {words_->head, static_cast<std::uint64_t>(waiting), claimed};
  }

  /// The parent is gone.
  void close() { parent_.reset(); }

  made_up_runtime runtime;

 private:
  std::size_t receive(std::span<std::byte> to) {
    if (in_) return in_->read(to);
    const ssize_t count = ::recv(parent_.get(), to.data(), to.size(), MSG_DONTWAIT);
    return count < 0 ? 0 : static_cast<std::size_t>(count);
  }

  int rank_;
  coterie::detail::unique_descriptor parent_;
  coterie::detail::unique_descriptor worker_;
  coterie::detail::begun_reader counter_;
  coterie::detail::shared_memory memory_;
  std::optional<coterie::detail::ring_reader> in_;
  std::optional<coterie::detail::ring_writer> out_;
  const coterie::detail::byte_ring::control_words* words_ = nullptr;
  coterie::detail::frame_reader reader_;
};
