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
  /// `place`: see `place`.
  explicit delivery(void* place) noexcept : place_{place} {}
  delivery(const delivery&) = delete;
  delivery& operator=(const delivery&) = delete;
  virtual ~delivery() = default;

  /// Where the value is kept until the handler looks: an empty `std::optional<T>`, if the operation
  /// completes with a `T`.
  [[nodiscard]] void* place() const noexcept { return place_; }

  /// The handler is to be called with `reason`.
  void fail(std::exception_ptr reason) noexcept { error_ = std::move(reason); }

  /// Calls the handler on its associated executor: at once, if that executor allows it and
  /// `may_run_inside`; otherwise later. Called once, on the object that is handed over.
  virtual void deliver(std::unique_ptr<delivery> self, bool may_run_inside) = 0;
  /// Calls the handler. Precondition: this thread is inside its executor.
  virtual void call(std::unique_ptr<delivery> self) = 0;
  static void call_now(std::unique_ptr<delivery> operation) {
    delivery& it = *operation;
    it.call(std::move(operation));
  }

 protected:
  std::exception_ptr error_;

 private:
  void* place_;
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
/// inside it. What a handler throws comes out of here; those behind it are then left to the event
/// loop. Thread safety: any thread.
void deliver_all(deliveries due, bool on_event_loop);

/// `executor`, kept from running out of work.
boost::asio::any_io_executor tracked(const boost::asio::any_io_executor& executor);
/// Calls the handler of `operation` on the executor that nearly all handlers have: the pool's, or a
/// coroutine's. See `delivery::deliver`.
void deliver_on(const boost::asio::any_io_executor& executor, std::unique_ptr<delivery> operation,
                bool may_run_inside);

}  // namespace coterie::detail
