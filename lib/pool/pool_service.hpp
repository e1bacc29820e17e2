// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <mutex>
#include <unordered_set>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>

#include <coterie/detail/home_process.hpp>

namespace coterie::detail {

class pool_engine;

/// Lets the pools of an event loop end with it.
///
/// A pending operation holds its handler; the handler holds a coroutine; the coroutine may hold the
/// pool. An event loop that is destroyed breaks such circles for its own operations; this does it
/// for ours. In a process that was forked from the event loop's it lets the pools be.
class pool_service final : public boost::asio::execution_context::service {
 public:
  using key_type = pool_service;
  static boost::asio::execution_context::id id;

  explicit pool_service(boost::asio::execution_context& context) : service{context} {}

  /// The service of the executor's event loop, made when it is not there yet. Throws `error`
  /// (`errc::forked`) if that loop was made in another process, and was not told of the fork.
  static pool_service& of(const boost::asio::any_io_executor& executor);

  void add(pool_engine& engine);
  void remove(pool_engine& engine) noexcept;

 private:
  void shutdown() override;
  void notify_fork(boost::asio::execution_context::fork_event event) override;

  home_process home_;
  bool leaving_loop_ = false;
  std::mutex mutex_;
  std::unordered_set<pool_engine*> engines_;
};

}  // namespace coterie::detail
