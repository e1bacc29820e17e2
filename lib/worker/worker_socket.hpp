// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "worker/worker_transport.hpp"

namespace coterie::detail {

/// The other end of a `socket_link`: a blocking Unix stream socket.
class worker_socket final : public worker_transport {
 public:
  explicit worker_socket(int descriptor) : descriptor_{descriptor} {}

  std::size_t read(std::span<std::byte> to, bool may_wait) override;
  std::size_t write(std::span<const iovec> pieces) override;
  // Who waits for a socket is woken by what is written.
  bool notify() override { return false; }
  [[nodiscard]] bool all_is_read() override { return true; }

 private:
  int descriptor_;
};

}  // namespace coterie::detail
