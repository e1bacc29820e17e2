// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <memory>
#include <utility>

#include <boost/asio/any_io_executor.hpp>

#include "runtime/runtime.hpp"

namespace coterie::detail {

/// A `runtime` on an event loop of Asio, but for its turns.
class asio_runtime : public runtime {
 public:
  void post(turn what) override;
  [[nodiscard]] time_point now() const override { return std::chrono::steady_clock::now(); }
  [[nodiscard]] std::unique_ptr<runtime_timer> make_timer() override;
  [[nodiscard]] std::unique_ptr<watched_socket> watch(unique_descriptor socket) override;

  [[nodiscard]] const boost::asio::any_io_executor& event_loop() const noexcept {
    return event_loop_;
  }

 protected:
  explicit asio_runtime(boost::asio::any_io_executor event_loop)
      : event_loop_{std::move(event_loop)} {}
  ~asio_runtime() = default;

 private:
  const boost::asio::any_io_executor event_loop_;
};

}  // namespace coterie::detail
