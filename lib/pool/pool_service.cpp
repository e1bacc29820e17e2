// SPDX-License-Identifier: BSL-1.0
#include "pool/pool_service.hpp"

#include <string>
#include <utility>

#include <boost/asio/execution/context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/steady_timer.hpp>

#include <coterie/error.hpp>

#include "pool/pool_engine.hpp"
#include "program/event_loop.hpp"

namespace coterie::detail {

namespace asio = boost::asio;

asio::execution_context::id pool_service::id;

pool_service& pool_service::of(const asio::any_io_executor& executor) {
  auto& context = asio::query(executor, asio::execution::context);
  if (asio::has_service<pool_service>(context)) {
    auto& found = asio::use_service<pool_service>(context);
    if (!found.home_.is_here()) {
      throw error{errc::forked,
                  "the event loop is that of process " + std::to_string(found.home_.pid()) +
                      ", from which this one was forked: make the pool on another, or call "
                      "notify_fork(fork_child) of the io_context first"};
    }
    return found;
  }
  // Services are shut down in reverse order. The ones that pools use must be there before this one
  // is, so that they still are when this one closes its pools.
  const asio::local::stream_protocol::socket socket{executor};
  const asio::posix::stream_descriptor descriptor{executor};
  const asio::steady_timer timer{executor};
  return asio::use_service<pool_service>(context);
}

void pool_service::add(pool_engine& engine) {
  const std::scoped_lock lock{mutex_};
  engines_.insert(&engine);
}

void pool_service::remove(pool_engine& engine) noexcept {
  const std::scoped_lock lock{mutex_};
  engines_.erase(&engine);
}

void pool_service::notify_fork(asio::execution_context::fork_event event) {
  if (event != asio::execution_context::fork_child || leaving_loop_) return;
  home_ = home_process{};
  for (pool_engine* const each : std::exchange(engines_, {})) {
    if (const auto engine = each->weak_from_this().lock()) engine->fail_in_child();
  }
}

void pool_service::shutdown() {
  if (!home_.is_here()) {
    leaving_loop_ = true;
    return leave_event_loop(context());
  }
  for (;;) {
    std::shared_ptr<pool_engine> engine;
    {
      const std::scoped_lock lock{mutex_};
      if (engines_.empty()) return;
      // One that is being destroyed right now, on another thread, is left to that.
      engine = (*engines_.begin())->weak_from_this().lock();
      engines_.erase(engines_.begin());
    }
    if (engine) engine->abandon();
  }
}

}  // namespace coterie::detail
