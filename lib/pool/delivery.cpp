// SPDX-License-Identifier: BSL-1.0
#include <coterie/detail/delivery.hpp>

#include <cstddef>
#include <exception>
#include <utility>

namespace coterie::detail {

namespace {

void deliver(std::unique_ptr<delivery> each, bool may_run_inside) {
  delivery& it = *each;
  it.deliver(std::move(each), may_run_inside);
}

// What one handler throws does not keep the next from being delivered.
class first_problem {
 public:
  void of(std::unique_ptr<delivery> each, bool may_run_inside) {
    try {
      deliver(std::move(each), may_run_inside);
    } catch (...) {
      if (!problem_) problem_ = std::current_exception();
    }
  }
  [[nodiscard]] bool is_there() const noexcept { return problem_ != nullptr; }
  void rethrow() {
    if (problem_) std::rethrow_exception(problem_);
  }

 private:
  std::exception_ptr problem_;
};

class delivery_loop {
 public:
  explicit delivery_loop(deliveries due) : due_{std::move(due)} {}
  delivery_loop(const delivery_loop&) = delete;
  delivery_loop& operator=(const delivery_loop&) = delete;
  ~delivery_loop() { innermost_ = outer_; }

  void run() {
    first_problem problem;
    while (next_ < due_.size()) problem.of(std::move(due_[next_++]), !problem.is_there());
    problem.rethrow();
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

}  // namespace

void deliver_all(deliveries due, bool on_event_loop) {
  if (due.empty()) return;
  if (on_event_loop) return delivery_loop{std::move(due)}.run();
  delivery_loop* const loop = delivery_loop::innermost();
  first_problem problem;
  for (auto& each : due) {
    if (loop == nullptr || !loop->take(each)) problem.of(std::move(each), false);
  }
  problem.rethrow();
}

}  // namespace coterie::detail
