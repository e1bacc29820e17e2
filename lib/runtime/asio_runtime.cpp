// SPDX-License-Identifier: BSL-1.0
#include "runtime/asio_runtime.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "runtime/asio_socket.hpp"

namespace coterie::detail {

namespace {

class asio_timer final : public runtime_timer {
 public:
  explicit asio_timer(asio_runtime& runs_on) : runtime_{runs_on}, timer_{runs_on.event_loop()} {}

  void call_at(runtime::time_point when, runtime::turn what) override {
    timer_.expires_at(when);
    timer_.async_wait([pool = runtime_.share(), what = std::move(what)](const auto& error) mutable {
      if (!error) pool->enter(std::move(what));
    });
  }
  void cancel() override { timer_.cancel(); }

 private:
  asio_runtime& runtime_;
  boost::asio::steady_timer timer_;
};

}  // namespace

void asio_runtime::post(turn what) {
  boost::asio::post(event_loop_, [pool = share(), what = std::move(what)]() mutable {
    pool->enter(std::move(what));
  });
}

std::unique_ptr<runtime_timer> asio_runtime::make_timer() {
  return std::make_unique<asio_timer>(*this);
}

std::unique_ptr<watched_socket> asio_runtime::watch(unique_descriptor socket) {
  return std::make_unique<asio_socket>(*this, std::move(socket));
}

}  // namespace coterie::detail
