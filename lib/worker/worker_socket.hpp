// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "links/begun_counter.hpp"
#include "worker/worker_transport.hpp"

namespace coterie::detail {

/// The other end of a `socket_link`: a blocking Unix stream socket.
class worker_socket final : public worker_transport {
 public:
  worker_socket(int descriptor, unique_descriptor begun)
      : descriptor_{descriptor}, items_{std::move(begun)} {}

  std::size_t read(std::span<std::byte> to, bool may_wait) override;
  std::size_t write(std::span<const iovec> pieces) override;
  // Who waits for a socket is woken by what is written.
  bool notify() override { return false; }
  [[nodiscard]] bool all_is_read() override { return true; }
  [[nodiscard]] bool begin_chunk(std::size_t) override {
    items_.begin();
    return true;
  }
  [[nodiscard]] bool claim_up_to(std::size_t end, std::size_t unit) override;

 private:
  int descriptor_;
  begun_writer items_;
};

}  // namespace coterie::detail
