// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

namespace coterie::detail {

/// A finished operation on its way to its completion handler: the handler, its executor, and what
/// it is to be called with. Nothing runs until `deliver`. Destroying it drops the handler uncalled.
class delivery {
 public:
  /// `may_follow`: the handler may be called by the caller of the function that started the
  /// operation, after that function has returned. Nothing there waits for it, as a caller that
  /// blocks might.
  explicit delivery(bool may_follow) noexcept : may_follow_{may_follow} {}
  delivery(const delivery&) = delete;
  delivery& operator=(const delivery&) = delete;
  virtual ~delivery() = default;

  [[nodiscard]] bool may_follow() const noexcept { return may_follow_; }

  /// The handler is to be called with `reason`.
  void fail(std::exception_ptr reason) noexcept { error_ = std::move(reason); }

  /// Calls the handler on its associated executor: at once, if that executor allows it and
  /// `may_run_inside`; otherwise later. Called once, on the object that is handed over.
  virtual void deliver(std::unique_ptr<delivery> self, bool may_run_inside) = 0;
  /// Calls the handler. Precondition: this thread is inside its executor.
  virtual void call(std::unique_ptr<delivery> self) = 0;

 protected:
  std::exception_ptr error_;

 private:
  bool may_follow_;
};

/// Handlers that are due. They are called when the pool is at rest, never from inside it.
using deliveries = std::vector<std::unique_ptr<delivery>>;

/// Adds an operation that ends without a value, by `error` if there is one.
inline void complete(std::unique_ptr<delivery> operation, deliveries& due,
                     std::exception_ptr error) {
  operation->fail(std::move(error));
  due.push_back(std::move(operation));
}

/// Has every handler in `due` called on its executor.
///
/// With `on_event_loop` the caller is a handler of the event loop, and those that are due may run
/// inside it. While one of them runs, it may make further ones fall due. Of these, those that may
/// follow are called by the same loop, when the one before has returned: that saves a turn of the
/// event loop for each, which costs more than all else that is done for a small result. After a few
/// of them the event loop gets its turn.
///
/// What a handler throws comes out of here; those behind it are then left to the event loop.
/// Thread safety: any thread.
void deliver_all(deliveries due, bool on_event_loop);

/// Calls the handler of an operation that has come to its executor. One that had to wait for that
/// (`was_inside` is false) may have others follow it.
void arrive(std::unique_ptr<delivery> operation, bool was_inside);

/// `executor`, kept from running out of work.
boost::asio::any_io_executor tracked(const boost::asio::any_io_executor& executor);
/// Calls the handler of `operation` on the executor that nearly all handlers have: the pool's, or a
/// coroutine's. See `delivery::deliver`.
void deliver_on(const boost::asio::any_io_executor& executor, std::unique_ptr<delivery> operation,
                bool may_run_inside);

}  // namespace coterie::detail
