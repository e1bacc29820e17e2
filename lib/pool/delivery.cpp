// SPDX-License-Identifier: BSL-1.0
#include <coterie/detail/delivery.hpp>

#include <cstddef>
#include <exception>
#include <utility>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>

namespace coterie::detail {

namespace {

void deliver(std::unique_ptr<delivery> each, bool may_run_inside) {
  delivery& it = *each;
  it.deliver(std::move(each), may_run_inside);
}

// What one handler throws does not keep the next from being delivered.
class first_error {
 public:
  void of(std::unique_ptr<delivery> each, bool may_run_inside) {
    try {
      deliver(std::move(each), may_run_inside);
    } catch (...) {
      if (!error_) error_ = std::current_exception();
    }
  }
  [[nodiscard]] bool is_there() const noexcept { return error_ != nullptr; }
  void rethrow() {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::exception_ptr error_;
};

class delivery_loop {
 public:
  explicit delivery_loop(deliveries due) : due_{std::move(due)} {}
  delivery_loop(const delivery_loop&) = delete;
  delivery_loop& operator=(const delivery_loop&) = delete;
  ~delivery_loop() { innermost_ = outer_; }

  void run() {
    first_error error;
    while (next_ < due_.size()) error.of(std::move(due_[next_++]), !error.is_there());
    error.rethrow();
  }

  /// The loop whose handler this thread is running, if any.
  static delivery_loop* innermost() { return innermost_; }

  bool take(std::unique_ptr<delivery>& follower) {
    if (followers_left_ == 0 || !follower->may_follow()) return false;
    --followers_left_;
    due_.push_back(std::move(follower));
    return true;
  }

 private:
  static thread_local delivery_loop* innermost_;

  deliveries due_;
  std::size_t next_ = 0;
  std::size_t followers_left_ = 64;
  delivery_loop* const outer_ = std::exchange(innermost_, this);
};

thread_local delivery_loop* delivery_loop::innermost_ = nullptr;

// Whether this thread runs the event loop that the executor stands for, if it is one.
bool runs_in(const boost::asio::any_io_executor& executor) {
  using loop = decltype(boost::asio::prefer(std::declval<boost::asio::io_context::executor_type>(),
                                            boost::asio::execution::outstanding_work_t::tracked));
  const loop* const found = executor.target<loop>();
  return found != nullptr && found->running_in_this_thread();
}

}  // namespace

void arrive(std::unique_ptr<delivery> operation, bool was_inside) {
  if (!was_inside && operation->may_follow()) {
    deliveries due;
    due.push_back(std::move(operation));
    return deliver_all(std::move(due), true);
  }
  delivery& it = *operation;
  it.call(std::move(operation));
}

boost::asio::any_io_executor tracked(const boost::asio::any_io_executor& executor) {
  return boost::asio::prefer(executor, boost::asio::execution::outstanding_work_t::tracked);
}

void deliver_on(const boost::asio::any_io_executor& executor, std::unique_ptr<delivery> operation,
                bool may_run_inside) {
  // What `dispatch` would find out in the end.
  if (may_run_inside && runs_in(executor)) return arrive(std::move(operation), true);
  const auto on = executor;  // NOLINT: `executor` is in `operation`, which moves
  auto later = [operation = std::move(operation), may_run_inside]() mutable {
    arrive(std::move(operation), may_run_inside);
  };
  if (may_run_inside) {
    boost::asio::dispatch(on, std::move(later));
  } else {
    boost::asio::post(on, std::move(later));
  }
}

void deliver_all(deliveries due, bool on_event_loop) {
  if (due.empty()) return;
  if (on_event_loop) return delivery_loop{std::move(due)}.run();
  delivery_loop* const loop = delivery_loop::innermost();
  first_error error;
  for (auto& each : due) {
    if (loop == nullptr || !loop->take(each)) error.of(std::move(each), false);
  }
  error.rethrow();
}

}  // namespace coterie::detail
