// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include <catch2/catch.hpp>

#include "channel/claims.hpp"
#include "channel/open_results.hpp"
#include "channel/ring_pair.hpp"
#include "frames.hpp"
#include "messages/frame_reader.hpp"
#include "worker/process_runtime.hpp"
#include "worker/worker_link.hpp"
#include "worker/worker_ring.hpp"

using namespace coterie::detail;  // NOLINT: part of the tests that include it

/// A worker's link through rings, and what the parent would find if the worker ended now.
class ring_wire {
 public:
  static constexpr std::size_t capacity = std::size_t{256} << 10U;

  ring_wire() {
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets_.data()) != 0) {
      throw std::system_error{errno, std::generic_category()};
    }
    auto memory = shared_memory::create(ring_pair::memory_for(capacity));
    const ring_pair parent{memory.bytes(), capacity};
    open_ = parent.results;
    claimed.emplace(parent.claimed);
    in_.emplace(parent.to_parent);
    out_.emplace(parent.to_worker);
    link = std::make_unique<worker_link>(
        std::make_unique<worker_ring>(sockets_[1], std::move(memory), capacity,
                                      std::chrono::nanoseconds::zero(), runtime),
        runtime);
  }
  ring_wire(const ring_wire&) = delete;
  ring_wire& operator=(const ring_wire&) = delete;
  ~ring_wire() {
    ::close(sockets_[0]);
    ::close(sockets_[1]);
  }

  /// Takes in what the worker has sent.
  void take_in() {
    while (const std::size_t count = in_->read(reader_.space())) reader_.received(count);
    while (const auto next = reader_.next()) {
      ++frames_;
      if (next->header.kind == message_kind::values) count(frames::results_of(next->header));
      if (next->header.kind == message_kind::failure) ++failures;
    }
  }
  /// The items that are known to be finished, should the worker end now.
  std::size_t finished() {
    take_in();
    byte_buffer copy;
    const auto rest = open_->read(frames_, copy);
    if (!rest) return values + failures;
    CHECK(frames::results_of(rest->header).first == values + failures);
    return values + failures + frames::results_of(rest->header).count;
  }

  /// The parent revokes what the worker has not claimed, and returns what that was.
  std::optional<claimed_items> revoke() {
    const auto seen = claimed->claimed();
    return seen && claimed->revoke(*seen) ? seen : std::nullopt;
  }

  /// The parent has looked at everything, and sleeps until it is woken. False: there is something.
  [[nodiscard]] bool sleep() { return in_->prepare_sleep(); }
  /// How often it has been woken since it was last asked.
  std::size_t bells() {
    std::array<std::byte, 64> rung{};
    const ssize_t count = ::recv(sockets_[0], rung.data(), rung.size(), MSG_DONTWAIT);
    return count < 0 ? 0 : static_cast<std::size_t>(count);
  }
  /// A frame comes to the worker, behind what it is told of.
  void comes(message_kind kind) {
    frames::bytes sent;
    frames::append(sent, frames::header(kind, 1), {});
    REQUIRE(out_->write(sent) == sent.size());
  }

  process_runtime runtime;
  std::unique_ptr<worker_link> link;
  std::optional<revoker> claimed;
  std::size_t values = 0;
  std::size_t failures = 0;

 private:
  void count(const message::values& results) {
    CHECK(results.first == values + failures);
    values += results.count;
  }

  std::array<int, 2> sockets_{};
  std::optional<open_results> open_;
  std::optional<ring_reader> in_;
  std::optional<ring_writer> out_;
  frame_reader reader_;
  std::uint64_t frames_ = 0;
};
